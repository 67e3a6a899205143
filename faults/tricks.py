"""What a worker is told to do wrong: to die at a certain line, or to work without one of its guards.

Faults (``Death``, and the tricks named ``fault_...``) are what the pipeline must survive. Sabotage takes a guard away:
then a run must fail, or the harness proves nothing.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from nofy.ports.bus import Placement

PARTS = {
    "PostgresAcceptances": "nofy.adapters.postgres.acceptances",
    "PostgresDispatches": "nofy.adapters.postgres.pipeline",
    "PostgresOutcomes": "nofy.adapters.postgres.pipeline",
    "RedisSchedule": "nofy.adapters.redis.schedule",
    "KafkaBus": "nofy.adapters.kafka.producer",
    "HttpSender": "faults.sending",
    "AttemptTold": "faults.sending",
}


@dataclass(frozen=True)
class Death:
    """SIGKILL to oneself ``before`` (or after) the ``nth`` call of ``Class.method``."""

    target: str
    before: bool = True
    nth: int = 1

    def arrange(self) -> None:
        kind, _, method = self.target.partition(".")
        owner = getattr(importlib.import_module(PARTS[kind]), kind)
        original = getattr(owner, method)
        calls = itertools.count(1)

        @functools.wraps(original)
        def mortal(*arguments: Any, **more: Any) -> Any:
            number = next(calls)
            if self.before and number == self.nth:
                die()
            answer = original(*arguments, **more)
            return _awaited(answer, number) if inspect.isawaitable(answer) else _over(answer, number)

        async def _awaited(answer: Any, number: int) -> Any:
            return _over(await answer, number)

        def _over(answer: Any, number: int) -> Any:
            if number == self.nth:
                die()
            return answer

        setattr(owner, method, mortal)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def apply(names: tuple[str, ...]) -> None:
    for name in names:
        TRICKS[name]()


def sabotage_lease_without_fence() -> None:
    """A consumer leases whatever it is handed, whether the record is still the row's or not."""
    from nofy.adapters.postgres import pipeline

    real: Callable[[str], str] = vars(pipeline)["statement"]

    def statement(name: str) -> str:
        return (
            f"{_unfenced()} {real(name).replace('nofy_lease', 'pg_temp.nofy_lease')}" if name == "lease" else real(name)
        )

    vars(pipeline)["statement"] = statement


@functools.cache
def _unfenced() -> str:
    """The lease's function without its fence, for one session."""
    from nofy.adapters.postgres.migrate import migrations

    text = dict(migrations())["0019_batches.sql"]
    made = text[text.index("CREATE FUNCTION nofy_lease(") :]
    made = made[: made.index("$$;", made.index("$$") + 2) + 3]
    guard = """ AND d.attempt_no = w.attempt_no AND d.due_at = w.due_at
            AND d.status IN ('scheduled', 'queued', 'retrying')"""
    if guard not in made:
        raise AssertionError("the lease's fence reads differently now")
    return made.replace(guard, "").replace(
        "CREATE FUNCTION nofy_lease", "CREATE OR REPLACE FUNCTION pg_temp.nofy_lease"
    )


def sabotage_no_reindex() -> None:
    """The reconciler looks after everything but the index."""
    from nofy.pipeline.reconcile import Reconciler

    Reconciler._index = lambda *_: None  # type: ignore[method-assign]  # noqa: SLF001


def sabotage_swallowed_acks() -> None:
    """What a provider took at the first attempt is never applied: its lease runs out, and it is tried again."""
    from nofy.domain.outcomes import Accepted
    from nofy.domain.records import read_ack
    from nofy.pipeline.acknowledge import Acknowledged, Acknowledger

    real = Acknowledger.acknowledge

    def swallowed(record: Any) -> bool:
        report = read_ack(record.value)
        return report.attempt_no == 1 and isinstance(report.outcome, Accepted)

    def acknowledge(self: Acknowledger, records: Any) -> Acknowledged:
        return real(self, [each for each in records if not swallowed(each)])

    Acknowledger.acknowledge = acknowledge  # type: ignore[method-assign]


def fault_produce_fails_in_part() -> None:
    """Kafka refuses every third record of the first batches."""
    from nofy.adapters.kafka.producer import KafkaBus

    real = KafkaBus.publish
    batches = itertools.count()

    def publish(self: KafkaBus, records: Any) -> list[Placement | None]:
        if next(batches) >= 3:
            return real(self, records)
        taken = iter(real(self, [each for number, each in enumerate(records) if number % 3]))
        return [next(taken) if number % 3 else None for number in range(len(records))]

    KafkaBus.publish = publish  # type: ignore[method-assign]


def fault_time_is_over() -> None:
    """The consumer's first batches come so late in its life that it may begin no invoke."""
    from nofy.pipeline.deliver import Consumer

    real = Consumer.deliver
    batches = itertools.count()

    def deliver(self: Consumer, records: Any, ends_at: Any) -> Any:
        return real(self, records, self.clock() if next(batches) < 2 else ends_at)

    Consumer.deliver = deliver  # type: ignore[method-assign]


TRICKS: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        sabotage_lease_without_fence,
        sabotage_no_reindex,
        sabotage_swallowed_acks,
        fault_produce_fails_in_part,
        fault_time_is_over,
    )
}
