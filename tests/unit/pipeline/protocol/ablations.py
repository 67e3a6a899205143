"""The protocol's lines, each taken away: what the machine must find, or it looks at nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nofy.domain import delivery, retry, sending
from nofy.domain.delivery import Change, Fence, Report, State
from nofy.domain.ids import idempotency_key
from nofy.domain.lifecycle import LEASABLE, Event, Status
from nofy.pipeline import deliver, dispatch, reconcile
from nofy.pipeline.reconcile import Reconciler
from tests.fakes import store
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    import pytest

    from nofy.domain.records import QueueRecord

ABLATIONS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {}


def ablation(what: Callable[[pytest.MonkeyPatch], None]) -> Callable[[pytest.MonkeyPatch], None]:
    ABLATIONS[what.__name__] = what
    return what


def _current(rows: MemoryStore, fence: Fence) -> Fence:
    row = rows.tables.deliveries.get(fence.delivery_id)
    return row.fence if row else fence


@ablation
def a_lease_asks_for_no_fence(patch: pytest.MonkeyPatch) -> None:
    usual = MemoryStore.lease

    def lease(self: MemoryStore, records: Sequence[QueueRecord], seconds: int) -> Any:
        return usual(self, [replace(each, fence=_current(self, each.fence)) for each in records], seconds)

    patch.setattr(MemoryStore, "lease", lease)


@ablation
def a_lease_asks_for_no_status(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store, "LEASABLE", LEASABLE | {Status.CANCELLED})
    advance = store.DeliveryRow.advance
    patch.setattr(
        store.DeliveryRow,
        "advance",
        lambda row, event, now: row.become(Status.SENDING, now) if event is Event.LEASED else advance(row, event, now),
    )


@ablation
def a_lease_is_shorter_than_its_consumer_lives(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deliver, "ATTEMPT_LEASE", 20)


@ablation
def queued_is_marked_whatever_the_row_says(patch: pytest.MonkeyPatch) -> None:
    def mark_queued(self: MemoryStore, queued: Sequence[Any]) -> None:
        for each in queued:
            row = self.tables.deliveries[each.fence.delivery_id]
            row.become(Status.QUEUED, self._clock())
            row.queued_at = (each.partition, each.offset)

    patch.setattr(MemoryStore, "mark_queued", mark_queued)


@ablation
def an_ack_is_applied_without_a_compare(patch: pytest.MonkeyPatch) -> None:
    usual = MemoryStore._apply

    def apply(self: MemoryStore, change: Change) -> bool:
        state = self.tables.deliveries[change.before.delivery_id].state
        return usual(self, replace(change, before=state))

    patch.setattr(MemoryStore, "_apply", apply)


@ablation
def a_report_of_any_attempt_applies(patch: pytest.MonkeyPatch) -> None:
    usual = delivery.settle

    def settle(state: State, report: Report) -> State:
        return usual(state, replace(report, attempt_no=state.attempt_no))

    patch.setattr(delivery, "settle", settle)


@ablation
def a_late_acceptance_is_not_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(delivery, "_believe", lambda state, _: state)


@ablation
def what_is_overdue_is_not_indexed_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "OVERDUE", 10**7)


@ablation
def lost_records_are_not_missed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reconciler, "_stuck", lambda *_: None)


@ablation
def expired_leases_are_not_reported(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reconciler, "_expired_leases", lambda *_: None)


@ablation
def held_deliveries_are_not_released(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryStore, "release_held", lambda *_: [])


@ablation
def a_refusal_holds_whatever_credential_there_is(patch: pytest.MonkeyPatch) -> None:
    def hold(self: MemoryStore, row: Any, refused: int | None) -> None:
        if refused is not None:
            self._integration(row).held_version = self._integration(row).credential_version

    patch.setattr(MemoryStore, "_hold_integration", hold)


@ablation
def missing_dead_letters_are_not_written(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reconciler, "_unburied", lambda *_: None)


@ablation
def reports_that_kafka_refused_are_dropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryStore, "keep_reports", lambda *_: None)


@ablation
def the_reconciler_does_not_look_at_the_attempt_row(patch: pytest.MonkeyPatch) -> None:
    usual = Reconciler._report
    patch.setattr(Reconciler, "_report", lambda self, overdue: usual(self, replace(overdue, report=None)))


@ablation
def the_key_differs_between_attempts(patch: pytest.MonkeyPatch) -> None:
    keys = iter(range(10**9))
    patch.setattr(sending, "idempotency_key", lambda delivery_id, _: idempotency_key(delivery_id, next(keys)))


@ablation
def a_key_is_trusted_for_longer_than_it_lives(patch: pytest.MonkeyPatch) -> None:
    for module in (retry, delivery):
        patch.setattr(module, "KEY_LIFE", 2 * retry.KEY_LIFE)


@ablation
def a_redrive_keeps_the_attempt(patch: pytest.MonkeyPatch) -> None:
    usual = store._redrive

    def redrive(row: Any, letter: Any, now: Any, due_at: Any) -> None:
        usual(row, letter, now, due_at)
        row.attempt_no -= 1

    patch.setattr(store, "_redrive", redrive)


@ablation
def a_letter_may_be_redriven_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store.DeadLetterRow, "open", property(lambda _: True))
    patch.setattr(store, "_redrivable", lambda _, row: row.status in (Status.FAILED, Status.UNKNOWN))


@ablation
def what_is_not_due_is_dispatched(patch: pytest.MonkeyPatch) -> None:
    usual = dispatch._sort
    later: timedelta = retry.KEY_LIFE
    patch.setattr(dispatch, "_sort", lambda waiting, now: usual(waiting, now + later))


@ablation
def what_expired_in_kafka_is_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deliver, "_by_expiry", lambda leased, _: (leased, []))


@ablation
def what_is_being_sent_can_be_cancelled(patch: pytest.MonkeyPatch) -> None:
    usual = store.allowed
    patch.setattr(store, "allowed", lambda status, event: status is Status.SENDING or usual(status, event))
    advance = store.DeliveryRow.advance
    patch.setattr(
        store.DeliveryRow,
        "advance",
        lambda row, event, now: (
            row.become(Status.CANCELLED, now) if event is Event.CANCELLED else advance(row, event, now)
        ),
    )


@ablation
def an_idempotency_key_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryStore, "_earlier_answer", lambda *_: None)


@ablation
def unknown_is_tried_again_under_at_most_once(patch: pytest.MonkeyPatch) -> None:
    usual = retry.decide

    def decide(outcome: Any, tried: Any, now: Any, random: Any) -> Any:
        return usual(outcome, replace(tried, delivery_mode=retry.DeliveryMode.AT_LEAST_ONCE), now, random)

    for module in (deliver, reconcile):
        patch.setattr(module, "decide", decide)
