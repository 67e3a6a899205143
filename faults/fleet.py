"""The workers as processes: started by a fork server that has loaded them already, killed with -9, started again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from faults.hands import fallen
from faults.spec import Spec, forkserver, work
from nofy.domain.routing import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from uuid import UUID

    from faults.machine import Machine

CONSUMERS = tuple(f"consumer-{each}" for each in Channel)
ROLES = ("producer", "dispatcher", *CONSUMERS, "acks", "dlq", "reconciler")
# An answer takes milliseconds; PostgreSQL may be starting.
ANSWER_SECONDS = 30.0


class ProducerGoneError(Exception):
    """It died before it answered: whoever asked does not know what became of the request."""


class Line:
    """The pipe to a producer: one request at a time.

    Each has a number, since the answer to one that nobody waits for any more may still come.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._asking = threading.Lock()
        self._number = 0

    def ask(self, *request: Any) -> tuple[int, str]:
        with self._asking:
            self._number += 1
            try:
                self._connection.send((self._number, *request))
                return self._answer()
            except (EOFError, OSError) as error:
                raise ProducerGoneError(repr(error)) from error

    def _answer(self) -> tuple[int, str]:
        deadline = time.monotonic() + ANSWER_SECONDS
        while self._connection.poll(max(0, deadline - time.monotonic())):
            number, status, text = self._connection.recv()
            if number == self._number:
                return int(status), str(text)
        raise ProducerGoneError("no answer")

    def close(self) -> None:
        """When its producer is dead: whoever asks just now has been told so."""
        with self._asking:
            self._connection.close()


class Fleet:
    """One worker of each role, and further ones by other names."""

    def __init__(self, machine: Machine, sabotage: tuple[str, ...] = ()) -> None:
        self._machine = machine
        self._sabotage = sabotage
        self._context = forkserver()
        self._running: dict[str, BaseProcess] = {}
        self._lines: dict[str, Line] = {}
        self.kills = 0
        self.held: Counter[UUID] = Counter()  # what killed consumers had in hand

    def start(self, *names: str, **wrong: Any) -> None:
        """``wrong``: the fields of a :class:`Spec` that make a worker misbehave. ``dispatcher.2`` is a second one."""
        for name in names:
            role = name.partition(".")[0]
            log = str(self._machine.folder / f"{name}.log")
            spec = replace(Spec(role, self._machine.addresses, log), **wrong)
            self._begin(name, replace(spec, tricks=spec.tricks + self._sabotage))

    def _begin(self, name: str, spec: Spec) -> None:
        theirs = None
        if spec.role == "producer":
            ours, theirs = self._context.Pipe()
            self._lines[name] = Line(ours)
        process = self._context.Process(target=work, args=(spec, theirs), daemon=True)
        process.start()
        if theirs:
            theirs.close()
        self._running[name] = process

    def kill(self, name: str) -> None:
        """SIGKILL, wherever it is in its work; one that died by itself is buried."""
        process = self._running.pop(name)
        self.kills += 1
        process.kill()
        process.join()
        process.close()
        self.held.update(fallen(self._machine.folder, name))
        if name in self._lines:
            self._lines.pop(name).close()

    def await_death(self, name: str, seconds: float = 30.0) -> bool:
        """Of a worker that was told to die. False: it has not, and is killed now."""
        process = self._running[name]
        process.join(seconds)
        died = process.exitcode is not None
        self.kill(name)
        return died

    def restart(self, name: str) -> None:
        self.kill(name)
        self.start(name)

    def close(self) -> None:
        for name in list(self._running):
            self.kill(name)

    def ask(
        self, method: str, path: str, body: str, headers: dict[str, str], producer: str = "producer"
    ) -> tuple[int, str]:
        """One request to a producer; :class:`ProducerGoneError` when it dies meanwhile."""
        try:
            line = self._lines[producer]
        except KeyError:
            raise ProducerGoneError("between two lives") from None
        return line.ask(method, path, body, headers)

    def tails(self, lines: int = 6) -> Iterator[str]:
        """The end of every log that says anything, for whoever has to find out what happened."""
        for path in sorted(self._machine.folder.glob("*.log")):
            with suppress(OSError):
                end = path.read_text(errors="replace").splitlines()[-lines:]
                if end:
                    yield f"{path.name}:\n  " + "\n  ".join(end)


@contextmanager
def running(machine: Machine, sabotage: tuple[str, ...] = ()) -> Iterator[Fleet]:
    """A whole fleet for the length of a block."""
    fleet = Fleet(machine, sabotage)
    try:
        fleet.start(*ROLES)
        yield fleet
    finally:
        fleet.close()
