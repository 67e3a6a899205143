"""Kill anything while notifications are on their way, start it again: every one ends, and is sent.

A consumer that died leaves leases that run for five minutes; the test winds PostgreSQL's rows back instead of waiting
for them, and calls the reconciler instead of waiting for its tick. Nothing else is done for the pipeline.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import boto3
import psutil
import pytest

from local import artefacts
from local.environment import aws_environment
from local.processes import MARK
from local.stack import Stack as Description
from nofy.pipeline.group import GROUP_SIZE
from tests.e2e.conftest import LIVE, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Stack

NOTIFICATIONS = 240
KILLS = 3
FUNCTIONS = ("producer", "dispatcher", "consumer", "sender-slack", "sender-brevo", "acks", "reconciler")


class Machine:
    """The stack's processes, as somebody with ``kill`` sees them."""

    def __init__(self, stack: Stack) -> None:
        described = Description.load(stack.directory)
        assert described is not None
        self.description = described
        credentials = aws_environment(stack.made["aws_endpoint_url"])
        self.functions = boto3.client(
            "lambda",
            endpoint_url=stack.made["aws_endpoint_url"],
            region_name="us-east-1",
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        )

    def start(self, function: str) -> None:
        self.functions.invoke(FunctionName=f"nofy-local-{function}", InvocationType="Event", Payload=b"{}")

    def kill_function(self, function: str) -> int:
        """Every worker of it, wherever it is in its work; the next invocation starts another one. How many it hit."""
        killed = self._kill(f"ministack-lambda-nofy-local-{function}-")
        if function in ("dispatcher", "reconciler"):
            self.start(function)
        return killed

    def kill_bridge(self) -> int:
        killed = self._kill("local.bridge")
        self._restart("bridge_process.finish(stack.home, bridge_process.start(stack))")
        return killed

    def kill_redis(self) -> int:
        """It comes back empty: it keeps nothing on disk."""
        killed = self._kill("redis-server")
        port = self.description.ports.redis
        self._restart(f"redis_server.finish(stack.home, {port}, redis_server.start(stack.home, {port}))")
        return killed

    def _restart(self, start: str) -> None:
        """By a process of its own, as ``make up`` would: what it starts outlives it and is nobody's child here."""
        directory = str(self.description.directory)
        script = (
            "from pathlib import Path; from local import bridge_process, redis_server; from local.stack import Stack;"
            f"stack = Stack.load(Path({directory!r})); {start}"
        )
        subprocess.run([str(artefacts.PYTHON), "-c", script], cwd=artefacts.ROOT, check=True, timeout=60)

    def _kill(self, mark: str) -> int:
        found = list(self._running(mark))
        for process in found:
            with suppress(psutil.NoSuchProcess):  # it ended by itself this very moment
                process.send_signal(signal.SIGKILL)
        wait_for(lambda: not any(_alive(each) for each in found), patience=20)
        return len(found)

    def _running(self, mark: str) -> Iterator[psutil.Process]:
        """This stack's processes whose command line has the mark in it."""
        for process in psutil.process_iter():
            try:
                ours = process.environ().get(MARK) == self.description.home.mark
                if ours and mark in " ".join(process.cmdline()):
                    yield process
            except psutil.Error:
                continue


def _alive(process: psutil.Process) -> bool:
    """A worker that its parent has not reaped yet is dead all the same."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def machine(stack: Stack) -> Machine:
    return Machine(stack)


def requests(run: str) -> list[dict]:
    """Over all channels and priorities; a third of them to a provider that takes its time."""
    made = []
    for number in range(NOTIFICATIONS):
        slow = "+slow0.3" if number % 3 == 0 else ""
        priority = ("high", "normal", "low")[number % 3]
        if number % 2:
            to = {"email": f"{run}-{number}{slow}@example.com"}
            made.append({"to": to, "channels": ["email"], "priority": priority})
        else:
            to = {"slack_channel": f"C0{run.upper().replace('-', '')}{number}N"}
            made.append({"to": to, "channels": ["slack"], "priority": priority})
        made[-1] |= {"content": {"subject": run, "text": f"{run} {number}"}, "tags": [run]}
    return made


def accept_all(stack: Stack, run: str) -> list[str]:
    """In small batches; a producer that was killed is asked again under the same idempotency key."""
    wanted = requests(run)
    batches = [wanted[start : start + 20] for start in range(0, NOTIFICATIONS, 20)]

    def ask(numbered: tuple[int, list[dict]]) -> list[str]:
        number, batch = numbered
        answer = wait_for(lambda: _ask(stack, f"{run}-{number}", batch))
        return [each["notification"]["id"] for each in answer["results"]]

    with ThreadPoolExecutor(4) as pool:
        return [each for ids in pool.map(ask, enumerate(batches)) for each in ids]


def _ask(stack: Stack, key: str, batch: list[dict]) -> dict | None:
    try:
        return stack.api.post("/v1/notifications/batch", {"notifications": batch}, idempotency_key=key)
    except Exception:  # noqa: BLE001  # whatever a killed producer looks like from outside
        return None


def statuses(stack: Stack, run: str) -> dict[str, int]:
    query = (
        "SELECT d.status, count(*) FROM deliveries d JOIN notifications n ON n.id = d.notification_id"
        " WHERE n.tags @> ARRAY[%(run)s] GROUP BY 1"
    )
    return dict(stack.database.run(query, {"run": run}))


def wind_back(stack: Stack) -> None:
    """As if ten minutes had passed since anything happened."""
    stack.database.run(
        "UPDATE attempts SET lease_until = lease_until - interval '10 min' WHERE acknowledged_at IS NULL"
    )
    stack.database.run("UPDATE deliveries SET changed_at = changed_at - interval '10 min' WHERE status = 'queued'")


def all_ended(stack: Stack, machine: Machine, run: str) -> dict[str, int]:
    seen = statuses(stack, run)
    if not LIVE & seen.keys():
        return seen
    wind_back(stack)
    machine.start("reconciler")
    machine.start("dispatcher")
    time.sleep(2)
    return {}


@pytest.mark.parametrize("victim", [*FUNCTIONS, "bridge", "redis"])
def test_whatever_is_killed_every_notification_is_sent(stack: Stack, machine: Machine, victim: str):
    run = f"kill-{victim}"
    kill: Callable[[], int] = {"bridge": machine.kill_bridge, "redis": machine.kill_redis}.get(
        victim, lambda: machine.kill_function(victim)
    )
    killed = 0
    with ThreadPoolExecutor(1) as pool:
        accepting = pool.submit(accept_all, stack, run)
        for _ in range(KILLS):
            time.sleep(0.7)
            killed += kill()
        ids = accepting.result()
    time.sleep(3)  # what the pipeline does without help

    ended = wait_for(lambda: all_ended(stack, machine, run), patience=120)

    assert killed
    assert len(set(ids)) == NOTIFICATIONS
    assert ended == {"sent": NOTIFICATIONS}, json.dumps(ended)
    calls = [each for each in stack.providers.call_list("/_control/ledger") if run_of(each, run)]
    accepted = sum(each["accepted"] for each in calls)
    assert accepted >= NOTIFICATIONS
    # Only work in the hands of what was killed may have been done twice: a group of each of its lanes a kill.
    assert accepted - NOTIFICATIONS <= KILLS * GROUP_SIZE


def run_of(call: dict, run: str) -> bool:
    return run.replace("-", "") in call["recipient"].lower().replace("-", "")
