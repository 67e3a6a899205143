"""People who do things at the same moment, and clocks that do not agree."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from faults.bench import ids_of
from faults.cases.steps import FEW
from nofy.runtime import clock

if TYPE_CHECKING:
    from faults.bench import Bench
    from faults.client import Promise

# Deliveries accepted and cancelled together, and how often.
ROUND, ROUNDS = 20, 50
# Each cancels by a producer of its own.
CANCELLERS = ("producer.2", "producer.3")
# Seconds from the first round's request to its due time.
FIRST_LEAD = 0.5


def redriven_twice(bench: Bench) -> None:
    """At the same moment: one of them is taken, and there is one send."""
    promised = bench.accept(9, script="refuse*1")
    assert bench.settle(promised)
    assert bench.wait(lambda: len(bench.letters(promised)) == len(promised), 20)
    bench.fleet.start("dispatcher.2", "producer.2")
    for letter, _ in bench.letters(promised):
        with ThreadPoolExecutor(2) as pool:
            answers = sorted(pool.map(bench.client.redrive, [letter, letter], ["producer", "producer.2"]))
        assert answers == [202, 409], answers
    bench.expect_sent(promised)
    bench.fleet.kill("dispatcher.2")
    bench.fleet.kill("producer.2")
    assert bench.machine.query("SELECT max(redrive_no) FROM deliveries WHERE id = ANY(%(i)s)", i=ids_of(promised)) == [
        (1,)
    ]
    assert bench.taken(promised) == len(promised)


def cancel_races_dispatch(bench: Bench) -> None:
    """A thousand times cancelled or sent, never both, and a 200 is kept."""
    bench.fleet.start(*CANCELLERS)
    rounds = [bench.items(ROUND) for _ in range(ROUNDS)]
    with ThreadPoolExecutor(len(CANCELLERS)) as pool:
        shares = [rounds[number :: len(CANCELLERS)] for number in range(len(CANCELLERS))]
        answers = dict(chain.from_iterable(pool.map(partial(_race, bench), CANCELLERS, shares)))
    for name in CANCELLERS:
        bench.fleet.kill(name)
    assert bench.settle([*answers]), bench.statuses([*answers])
    _never_both(bench, answers)


def _race(bench: Bench, producer: str, rounds: list[list[dict[str, Any]]]) -> list[tuple[Promise, int]]:
    """What was answered to each cancellation. Each round is cancelled from its 202 on.

    It is due sooner where most of the last one's cancellations were in time, and later where they were not: so the two
    meet on any machine, however busy it is.
    """
    answers: list[tuple[Promise, int]] = []
    lead = FIRST_LEAD
    for items in rounds:
        due = (clock.now() + timedelta(seconds=lead)).isoformat()
        promised = bench.client.accept([{**each, "send_at": due} for each in items])
        found = [(each, bench.client.cancel(each, producer)) for each in promised]
        in_time = sum(status == 200 for _, status in found)
        lead *= 0.8 if in_time > ROUND / 2 else 1.25
        answers += found
    return answers


def _never_both(bench: Bench, answers: dict[Promise, int]) -> None:
    status = Counter(answers.values())
    assert status[200] + status[409] == ROUND * ROUNDS, status
    assert min(status[200], status[409]) >= ROUND * ROUNDS // 20, f"no race: {status}"
    cancelled = [each for each, answer in answers.items() if answer == 200]
    assert bench.statuses(cancelled) == {"cancelled": len(cancelled)}, bench.statuses(cancelled)
    assert bench.taken(cancelled) == 0, "cancelled and sent"
    assert bench.taken([*answers]) == status[409], "neither cancelled nor sent"


def clocks_five_seconds_apart(bench: Bench) -> None:
    """One dispatcher ahead, the consumers behind: nothing is early by more than that, and nothing is stuck."""
    bench.skew = 5.0
    bench.fleet.kill("dispatcher")
    bench.fleet.start("dispatcher", skew=5.0)
    bench.fleet.kill("consumer-slack")
    bench.fleet.start("consumer-slack", skew=-5.0)
    soon = clock.now() + timedelta(seconds=7)
    bench.expect_sent(bench.accept(FEW, send_at=soon.isoformat()))
    bench.fleet.restart("dispatcher")
    bench.fleet.restart("consumer-slack")
