"""A provider is down for a minute while work keeps coming: what it costs, and how it is caught up with.

The pipeline runs with production's retry policies, breaker and time-outs; the integration has a rate limit, and work
comes at 60 % of it before, during and after, so that the backlog must go with what is left of the rate.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, cast

import urllib3

from faults.client import Client, new_client, notification
from faults.measures import stub
from faults.measures.figures import backlog_gone, caught_up, count_between, peak_per_second
from faults.measures.fleet import running
from local.ports import free_ports, is_listening
from nofy.domain.routing import PROVIDER_OF, Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from faults.fleet import Fleet
    from faults.machine import Machine

MOST_ATTEMPTS = 0.05  # of what would have been made by asking again at once, within the rate limit
MOST_PEAK = 1.2  # of the rate limit
MOST_DRAIN = 2.0  # of the outage

SHARE = 0.6  # of the rate limit, that comes
TICK = 0.1
WARM_UP_SECONDS = 8.0
AFTERWARDS_SECONDS = 5.0
CALLERS = 32  # at once, as the sender has them
LOOP_SECONDS = 5.0
GRACE_SECONDS = 2.0  # what is taken so soon after it was accepted was not waiting for anybody
START_SECONDS = 60.0


@dataclass(frozen=True)
class Plan:
    """``seconds`` of outage, and the integration's limit."""

    seconds: float
    rate: int
    burst: int


def measure(machine: Machine, plan: Plan, tell: Callable[[str], None]) -> dict[str, Any]:
    """The figures, as ``.local/faults-measures.json`` has them; ``held`` says whether all three are within bounds."""
    machine.clean()
    down = machine.folder / "down"
    notes = machine.folder / "notes"
    with _stub(notes, down) as url:
        at_once = _asking_at_once(url, down, notes)
        tell(f"asked again at once by {CALLERS} callers: {at_once:.0f} calls a second")
        with running(machine, url) as fleet:
            client = new_client(machine, cast("Fleet", fleet))
            _limit(client, plan)
            arrivals = Arrivals(client, plan.rate * SHARE)
            began, recovery = _outage(arrivals, plan, down, tell)
            drained = _wait_until_drained(arrivals, notes, recovery, plan, tell)
            arrivals.stop()
            statuses = _settled(machine, 2 * plan.seconds)
    tell(f"ended as {statuses}, drained: {drained}")
    return _document(plan, arrivals.accepted, stub.read_notes(notes), (began, recovery), at_once, statuses)


def _document(
    plan: Plan,
    accepted: dict[str, float],
    notes: list[stub.Noted],
    window: tuple[float, float],
    at_once: float,
    statuses: dict[str, int],
) -> dict[str, Any]:
    began, recovery = window
    notes = [each for each in notes if each.delivery_id in accepted]
    times = [each.at for each in notes]
    taken: dict[str, float] = {}
    for each in notes:
        if each.status == stub.UP:
            taken.setdefault(each.delivery_id, each.at)
    attempts = count_between(times, began, recovery)
    peak = peak_per_second([each for each in times if each >= recovery])
    steady = peak_per_second([each for each in times if each < began])
    gone = backlog_gone(accepted, taken, recovery)
    caught = caught_up(accepted, taken, recovery, GRACE_SECONDS)
    share = attempts / (plan.rate * plan.seconds)
    drained = None if gone is None or caught is None else max(gone, caught)
    return {
        "outage_seconds": plan.seconds,
        "rate": plan.rate,
        "burst": plan.burst,
        "arrivals_per_second": plan.rate * SHARE,
        "accepted": len(accepted),
        "taken": len(taken),
        "taken_twice": sum(each.status == stub.UP for each in notes) - len(taken),
        "statuses": statuses,
        "attempts_in_the_outage": attempts,
        "share_of_immediate_retry": round(share, 4),  # one that keeps to the rate limit
        "share_of_unlimited_immediate_retry": round(attempts / (at_once * plan.seconds), 5),
        "unlimited_immediate_retry_per_second": round(at_once),
        "peak_per_second_after": peak,
        "peak_over_rate": round(peak / plan.rate, 3),
        "peak_per_second_before": steady,
        "first_call_after_recovery_seconds": _rounded(
            min((at - recovery for at in times if at >= recovery), default=None)
        ),
        "backlog": sum(at <= recovery for each, at in accepted.items() if taken.get(each, recovery) >= recovery),
        "backlog_gone_seconds": _rounded(gone),
        "caught_up_seconds": _rounded(caught),
        "drained_over_outage": _rounded(drained and drained / plan.seconds),
        "median_wait_seconds": _rounded(median(taken[each] - at for each, at in accepted.items() if each in taken)),
        "load": os.getloadavg(),
        "held": share <= MOST_ATTEMPTS
        and peak <= MOST_PEAK * plan.rate
        and drained is not None
        and drained <= MOST_DRAIN * plan.seconds
        and len(taken) == len(accepted),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


class Arrivals:
    """A client that sends steadily until it is told to stop; ``accepted``: when each was promised."""

    def __init__(self, client: Client, per_second: float) -> None:
        self.accepted: dict[str, float] = {}
        self._client = client
        self._per_second = per_second
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._began = time.time()
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(TICK):
            owed = int((time.time() - self._began) * self._per_second) - number
            items = [_item(number + each) for each in range(min(owed, 50))]
            number += len(items)
            if items:
                promised = self._client.accept(items)
                self.accepted.update({str(each.delivery_id): time.time() for each in promised})


def _item(number: int) -> dict[str, Any]:
    return notification(Channel.EMAIL, number, priority=("high", "normal", "low")[number % 3])


def _limit(client: Client, plan: Plan) -> None:
    settings = {
        "sender": {"email": "no-reply@example.com", "name": "Outage"},
        "limits": {"integration": {"per_second": plan.rate, "burst": plan.burst}, "destination": None},
    }
    client.administration.set_integration(
        client.integrations[Channel.EMAIL],
        client.project_id,
        Channel.EMAIL,
        PROVIDER_OF[Channel.EMAIL],
        settings,
        b"outage",
    )


def _outage(arrivals: Arrivals, plan: Plan, down: Path, tell: Callable[[str], None]) -> tuple[float, float]:
    """When it began and ended. It begins when work flows."""
    deadline = time.monotonic() + START_SECONDS
    while not arrivals.accepted:
        assert time.monotonic() < deadline, "nothing is accepted"
        time.sleep(0.1)
    time.sleep(WARM_UP_SECONDS)
    down.touch()
    began = time.time()
    tell(f"the provider is down, {len(arrivals.accepted)} were accepted before")
    time.sleep(plan.seconds)
    down.unlink()
    tell(f"the provider is back, {len(arrivals.accepted)} are accepted")
    return began, time.time()


def _wait_until_drained(
    arrivals: Arrivals, notes: Path, recovery: float, plan: Plan, tell: Callable[[str], None]
) -> bool:
    deadline = time.monotonic() + 4 * plan.seconds
    while time.monotonic() < deadline:
        time.sleep(1.0)
        taken = {each.delivery_id: each.at for each in stub.read_notes(notes) if each.status == stub.UP}
        accepted = dict(arrivals.accepted)
        found = caught_up(accepted, taken, recovery, GRACE_SECONDS)
        if found is not None and backlog_gone(accepted, taken, recovery) is not None:
            time.sleep(AFTERWARDS_SECONDS)
            return True
    tell(f"{len(arrivals.accepted.keys() - taken.keys())} still wait")
    return False


def _settled(machine: Machine, seconds: float) -> dict[str, int]:
    deadline = time.monotonic() + seconds
    while True:
        statuses = dict(machine.query("SELECT status, count(*) FROM deliveries GROUP BY 1"))
        if set(statuses) <= {"sent", "failed", "expired"} or time.monotonic() > deadline:
            return statuses
        time.sleep(0.5)


def _asking_at_once(url: str, down: Path, notes: Path) -> float:
    """Calls a second of callers that ask again as soon as they are refused, on connections that are kept."""
    down.touch()
    ends = time.monotonic() + LOOP_SECONDS
    pool = urllib3.PoolManager(maxsize=CALLERS, retries=False)

    def ask() -> None:
        body = {"headers": {"X-Mailin-custom": "at-once"}}
        while time.monotonic() < ends:
            pool.request("POST", f"{url}/brevo/smtp/email", json=body)

    threads = [threading.Thread(target=ask) for _ in range(CALLERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    pool.clear()
    down.unlink()
    return len(stub.read_notes(notes)) / LOOP_SECONDS


@contextmanager
def _stub(notes: Path, down: Path) -> Iterator[str]:
    notes.write_text("")
    (port,) = free_ports(1)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=stub.serve, args=(port, str(notes), str(down)), daemon=True)
    process.start()
    deadline = time.monotonic() + START_SECONDS
    try:
        while not is_listening(port):
            assert time.monotonic() < deadline, "the stub did not start"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.join()
        process.close()
