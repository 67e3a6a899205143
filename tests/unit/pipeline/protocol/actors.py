"""Processes that run one port call at a time: a thread each, and a baton that only one of them holds.

Whoever steps an actor waits until it stands before its next call (or has ended), so a history goes the same way each
time it is told, whatever the operating system does. There is no other way into another thread's middle without a
dependency (greenlet): the pipeline's code is ordinary code, and a generator cannot be suspended from below.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nofy.domain.errors import NofyError
from tests.fakes.faults import Died, Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_here = threading.local()


class Actor:
    """One process: an invocation of a function, begun and standing before its first call."""

    def __init__(self, name: str, work: Callable[[], object], born: datetime, lives_for: float) -> None:
        self.name = name
        self.born = born
        self.lives_for = lives_for  # seconds: Lambda ends it then
        self.at = ""  # the call that comes next
        self.ended = False
        self.error: BaseException | None = None
        self.waits_for: Actor | None = None  # and cannot go on before that one has ended
        self.deaf = False  # what it learnt from a provider may have been lost with it
        self._work = work
        self._fault: Fault | None = None
        self._turn = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()
        self._back.acquire()

    def step(self, fault: Fault | None = None) -> None:
        """Its next call, with this fault; it stands before the one after that, or has ended."""
        if self.ended:
            return
        self._fault = fault
        self._turn.release()
        self._back.acquire()
        if self.ended:
            self._thread.join()
            if self.error and not isinstance(self.error, (Died, NofyError)):
                raise self.error

    def die(self) -> None:
        self.step(Fault(self.at, Died()))

    def wait(self, method: str) -> Fault | None:
        """Hand the baton back; returns what happens to the call when it comes round again."""
        self.at = method
        self._back.release()
        self._turn.acquire()
        return self._fault

    def _live(self) -> None:
        _here.actor = self
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 (it is the scheduler's to judge)
            self.error = error
        self.ended = True
        self._back.release()


def current() -> Actor | None:
    """Who holds the baton; None: no actor, the test itself."""
    return getattr(_here, "actor", None)
