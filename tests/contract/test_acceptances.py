"""Accepting: all or nothing, once per idempotency key, and for a known caller only."""

from __future__ import annotations

import pytest

from nofy.domain.errors import ConflictError, IdempotencyKeyReusedError, NofyError
from nofy.domain.lifecycle import Status
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import Channel, MessageClass
from nofy.domain.timing import IN_HAND_TOO_LONG
from nofy.domain.tokens import Mode
from nofy.ports.store import IdempotencyClaim
from tests.contract.stores import Backend

HOUR = 3600.0


def claim(key: str = "order-1", body: bytes = b"body", answer: str = "first") -> IdempotencyClaim:
    return IdempotencyClaim(key, body.ljust(32), {"id": answer})


def test_a_token_names_its_project_and_what_it_can_send_with(store: Backend) -> None:
    project = store.project()
    found = store.acceptances.principal(project.token_hash)
    assert found is not None
    assert (found.project_id, found.actor.actor_id, found.mode) == (
        project.principal.project_id,
        project.principal.actor.actor_id,
        Mode.LIVE,
    )
    assert {each.integration_id: each for each in found.integrations} == {
        each.integration_id: each for each in project.principal.integrations
    }


def test_a_token_names_no_other_projects_integrations(store: Backend) -> None:
    ours, theirs = store.project(), store.project()
    found = store.acceptances.principal(ours.token_hash)
    assert found is not None
    assert not {each.integration_id for each in found.integrations} & {
        each.integration_id for each in theirs.principal.integrations
    }


def test_nobody_holds_an_unknown_token(store: Backend) -> None:
    store.project()
    assert store.acceptances.principal(b"?" * 32) is None


def test_nobody_holds_a_revoked_token_any_more(store: Backend) -> None:
    project = store.project()
    store.revoke(project)
    assert store.acceptances.principal(project.token_hash) is None


def test_what_was_accepted_is_read_back_as_it_was_planned(store: Backend) -> None:
    project = store.project()
    planned = project.plan(
        Channel.SLACK, Channel.EMAIL, due_in=90, reference="order-1", tags=("a", "b"), metadata={"ключ": [1, None]}
    )
    assert store.acceptances.accept(project.principal, [planned]) is None
    view = store.reading.notification(project.principal, planned.notification_id)
    assert view is not None
    assert (view.send_at, view.expires_at, view.created_at) == (
        planned.send_at,
        planned.expires_at,
        planned.created_at,
    )
    assert (view.reference, view.tags, view.metadata, view.to) == (
        "order-1",
        ("a", "b"),
        {"ключ": [1, None]},
        planned.draft.to,
    )
    assert [(each.delivery_id, each.channel, each.status, each.due_at) for each in view.deliveries] == [
        (each.delivery_id, each.lane.channel, Status.SCHEDULED, planned.send_at) for each in planned.deliveries
    ]


def test_a_batch_keeps_each_notifications_own_words_and_times(store: Backend) -> None:
    project = store.project()
    batch = [
        project.plan(Channel.EMAIL, Channel.WHATSAPP),
        project.plan(due_in=90, expires_in=900, tags=("a",)),
        project.plan(Channel.EMAIL, reference="order-2", message_class=MessageClass.BULK),
        project.plan(metadata={"order": {"lines": [2**70, "é"]}}, mode=DeliveryMode.AT_MOST_ONCE),
    ]
    store.acceptances.accept(project.principal, batch)
    for planned in batch:
        view, draft = store.reading.notification(project.principal, planned.notification_id), planned.draft
        assert view is not None
        assert (view.reference, view.tags, view.metadata, view.message_class, view.priority, view.delivery_mode) == (
            *(draft.reference, draft.tags, draft.metadata),
            *(draft.message_class, planned.priority, draft.delivery_mode),
        )
        assert (view.created_at, view.send_at, view.expires_at) == (
            *(planned.created_at, planned.send_at, planned.expires_at),
        )
        assert [(each.delivery_id, each.channel, each.destination, each.due_at) for each in view.deliveries] == [
            (each.delivery_id, each.lane.channel, each.destination, planned.send_at) for each in planned.deliveries
        ]


def test_accepting_stores_all_or_nothing(store: Backend) -> None:
    project = store.project()
    known, fresh = project.plan(), project.plan()
    store.acceptances.accept(project.principal, [known])
    with pytest.raises(NofyError):
        store.acceptances.accept(project.principal, [fresh, known], claim())
    assert store.reading.notification(project.principal, fresh.notification_id) is None
    assert store.acceptances.accept(project.principal, [fresh], claim()) is None  # the key was not used up either
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 0


def test_the_same_request_again_gets_the_first_answer_and_stores_nothing(store: Backend) -> None:
    project = store.project()
    first, again = project.plan(), project.plan()
    assert store.acceptances.accept(project.principal, [first], claim()) is None
    assert store.acceptances.accept(project.principal, [again], claim(answer="second")) == {"id": "first"}
    assert store.reading.notification(project.principal, again.notification_id) is None


def test_the_same_key_with_another_body_is_refused(store: Backend) -> None:
    project = store.project()
    store.acceptances.accept(project.principal, [project.plan()], claim())
    with pytest.raises(IdempotencyKeyReusedError):
        store.acceptances.accept(project.principal, [project.plan()], claim(body=b"another"))


def test_a_key_belongs_to_its_project_and_mode(store: Backend) -> None:
    ours, theirs = store.project(), store.project()
    testing = store.second_key(ours, Mode.TEST)
    for each in (ours, theirs, testing):
        assert store.acceptances.accept(each.principal, [each.plan()], claim()) is None


def test_a_key_is_kept_for_a_day(store: Backend) -> None:
    project = store.project()
    store.acceptances.accept(project.principal, [project.plan()], claim())
    store.let_pass(23.9 * HOUR)
    assert store.acceptances.accept(project.principal, [project.plan()], claim()) == {"id": "first"}


def test_a_key_is_forgotten_after_a_day(store: Backend) -> None:
    project = store.project()
    store.acceptances.accept(project.principal, [project.plan()], claim())
    store.let_pass(24.1 * HOUR)
    assert store.acceptances.accept(project.principal, [project.plan()], claim(body=b"another")) is None


def test_a_key_in_flight_is_a_conflict_that_says_when_to_come_back(store: Backend) -> None:
    project = store.project()
    planned = project.plan()
    with store.in_flight(project, "order-1"):
        with pytest.raises(ConflictError) as refused:
            store.acceptances.accept(project.principal, [planned], claim())
        store.acceptances.accept(project.principal, [project.plan()], claim("another key"))
    assert (refused.value.code, refused.value.retry_after) == ("idempotency_key_in_flight", 1)
    assert store.acceptances.accept(project.principal, [planned], claim()) is None


def test_another_projects_notification_is_not_found(store: Backend) -> None:
    ours, theirs = store.project(), store.project()
    planned = theirs.plan()
    store.acceptances.accept(theirs.principal, [planned])
    assert store.reading.notification(ours.principal, planned.notification_id) is None


def test_a_test_token_does_not_see_live_notifications(store: Backend) -> None:
    live = store.project()
    testing = store.second_key(live, Mode.TEST)
    planned = live.plan()
    store.acceptances.accept(live.principal, [planned])
    assert store.reading.notification(testing.principal, planned.notification_id) is None
    assert store.reading.notification(live.principal, planned.notification_id) is not None
