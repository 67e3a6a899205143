"""Erasing a person's data on demand, and what a project no longer keeps."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.delivery import Change, Fence, State, fold
from nofy.domain.edit import Edit
from nofy.domain.lifecycle import Status
from nofy.domain.notification import PlannedNotification
from nofy.domain.outcomes import Accepted, Rejected, RejectionKind, Transient, Unknown
from nofy.domain.retry import GiveUp, LeaveUnknown, Retry
from nofy.domain.routing import Channel
from nofy.domain.tokens import Mode
from nofy.ports.accounts import Erased, ProjectChange
from nofy.ports.reading import NotificationView
from nofy.ports.store import IdempotencyClaim
from tests.contract.stores import Backend
from tests.contract.stories import Told, accepted, lease
from tests.contract.test_accounts import actions, entry
from tests.fakes.projects import TO, Project, fences_of, report_on

ADA = TO["email"]
BOB = {"email": "bob@example.com", "phone": "+15550999", "slack_channel": "C0BOB"}
DAY = 24 * 3600.0


def erase(store: Backend, project: Project, *addresses: str) -> Erased:
    made = entry(store, "recipient.erased")
    return store.belongings.erase_recipient(project.principal.project_id, addresses or [ADA], made)


def read(store: Backend, project: Project, planned: PlannedNotification) -> NotificationView:
    found = store.reading.notification(project.principal, planned.notification_id)
    assert found is not None
    return found


def gone(told: Told) -> bool:
    return is_blank(read(told.store, told.project, told.planned))


def is_blank(view: NotificationView) -> bool:
    words = (view.to, view.content, view.metadata, view.tags, view.reference)
    return words == ({}, {}, {}, (), None) and {each.destination for each in view.deliveries} == {"erased"}


def keeps(store: Backend, told: Told, retention_days: int) -> None:
    """The project of the delivery keeps content so long."""
    change = ProjectChange(retention_days=retention_days)
    assert store.people.change_project(told.project.principal.project_id, change, entry(store))


def failed(told: Told, why: str = "gone") -> Told:
    told.lease()
    assert told.settle(told.report(Rejected(RejectionKind.RECIPIENT, why), GiveUp(f"rejected_recipient: {why}")))
    told.store.burials.bury([DeadLetter(Kind.DELIVERY, f"rejected_recipient: {why}", told.id, 1)])
    return told


def sent(told: Told) -> Told:
    told.lease()
    assert told.settle(told.report(Accepted("message-1")))
    return told


# On demand


def test_a_person_is_erased_from_what_was_sent_to_them(store: Backend) -> None:
    more = {"reference": "order-1", "tags": ("a",), "metadata": {"name": "Ada"}}
    told = sent(accepted(store, channel=Channel.EMAIL, **more))
    before = told.view
    assert erase(store, told.project) == Erased(notifications=1, deliveries=1, cancelled=0, in_flight=0)
    assert gone(told)
    after = told.view
    assert (after.status, after.provider_message_id, after.due_at) == (Status.SENT, "message-1", before.due_at)
    assert after.changed_at == before.changed_at
    assert [(each.attempt_no, each.leased_at) for each in after.attempts] == [
        (each.attempt_no, each.leased_at) for each in before.attempts
    ]
    assert actions(store, told.project.principal.project_id) == ["recipient.erased"]


@pytest.mark.parametrize("waiting", ["scheduled", "queued", "retrying", "held"])
def test_what_waits_for_an_erased_person_is_cancelled(store: Backend, waiting: str) -> None:
    told = accepted(store, channel=Channel.EMAIL)
    if waiting == "queued":
        told.queue()
    if waiting == "held":
        store.dispatches.hold([told.fence])
    if waiting == "retrying":
        assert told.lease().settle(told.report(Transient("503"), Retry(told.fence.due_at)))
    assert told.status == waiting
    assert erase(store, told.project) == Erased(notifications=1, deliveries=1, cancelled=1, in_flight=0)
    assert gone(told)
    assert (told.status, told.view.reason) == (Status.CANCELLED, "its recipient was erased")
    assert store.upkeep.waiting_between(None, store.now() + timedelta(days=9), 10) == []


def test_what_is_being_sent_is_counted_and_erased_when_asked_again(store: Backend) -> None:
    project = store.project()
    planned = project.plan(Channel.EMAIL, Channel.SLACK)
    store.acceptances.accept(project.principal, [planned])
    in_hand, waiting = planned.deliveries
    assert lease(store, fences_of(planned)[0])
    assert erase(store, project) == Erased(notifications=0, deliveries=1, cancelled=1, in_flight=1)
    statuses = {each.delivery_id: (each.status, each.destination) for each in read(store, project, planned).deliveries}
    assert statuses[in_hand.delivery_id] == (Status.SENDING, ADA)
    assert statuses[waiting.delivery_id] == (Status.CANCELLED, "erased")
    assert read(store, project, planned).content
    state = store.outcomes.states([in_hand.delivery_id])[in_hand.delivery_id]
    assert store.outcomes.apply([_accepted(store, state)])
    assert erase(store, project) == Erased(notifications=1, deliveries=1, cancelled=0, in_flight=0)
    assert is_blank(read(store, project, planned))
    assert erase(store, project) == Erased(0, 0, 0, 0)


def _accepted(store: Backend, state: State) -> Change:
    return fold(state, [report_on(Fence(state.delivery_id, 1, state.due_at), Accepted("m"), at=store.now())])


def test_one_address_is_enough_whichever_channel_was_used(store: Backend) -> None:
    told = sent(accepted(store, channel=Channel.SLACK))
    assert told.view.destination == TO["slack_channel"]
    assert erase(store, told.project, TO["phone"]).notifications == 1
    assert gone(told)


def test_an_address_that_was_corrected_is_erased_wherever_it_stands(store: Backend) -> None:
    told = failed(accepted(store, channel=Channel.EMAIL))
    principal = told.project.principal
    (letter,) = store.reading.dead_letters(principal, None, None, 10)
    assert store.amendments.redrive(principal, letter.dead_letter_id, Edit(destination="new@example.com"))
    assert erase(store, told.project, "new@example.com").cancelled == 1
    assert gone(told)
    told_of = json.dumps(told.view.history, default=str)
    assert [each["event"] for each in told.view.history] == ["edited", "redriven"]
    assert ADA not in told_of
    assert "gone" not in told_of


def test_nobody_else_is_erased(store: Backend) -> None:
    project = store.project()
    told, other_project = accepted(store, project), accepted(store)
    bob = accepted(store, project, to=BOB)
    assert erase(store, project, "ada@example.co", "xada@example.com") == Erased(0, 0, 0, 0)
    assert erase(store, project).notifications == 1
    assert [gone(each) for each in (told, bob, other_project)] == [True, False, False]
    assert (bob.status, other_project.status) == (Status.SCHEDULED, Status.SCHEDULED)


def test_a_person_is_erased_from_live_and_test_alike(store: Backend) -> None:
    project = store.project()
    both = [accepted(store, each) for each in (project, store.second_key(project, Mode.TEST))]
    assert erase(store, project).notifications == 2
    assert all(gone(each) for each in both)


def test_no_providers_words_about_a_person_remain(store: Backend) -> None:
    told = failed(accepted(store, channel=Channel.EMAIL), why=f"{ADA} (Ada Lovelace) is unknown here")
    principal = told.project.principal
    erase(store, told.project)
    (letter,) = store.reading.dead_letters(principal, None, None, 10)
    assert (told.view.reason, letter.reason) == ("rejected_recipient", "rejected_recipient")
    report = told.attempt().report
    assert report is not None
    assert (report["outcome"], report["kind"], report["reason"]) == ("rejected", "recipient", "erased")
    assert report["decided"] == {"decision": "give_up", "reason": "erased"}


def test_a_report_stays_readable_when_its_words_are_gone(store: Backend) -> None:
    told = accepted(store, channel=Channel.EMAIL).lease()
    assert told.settle(told.report(Unknown(f"{ADA}: silence"), LeaveUnknown(f"unknown: {ADA}")))
    erase(store, told.project)
    assert (told.status, told.view.reason) == (Status.UNKNOWN, "unknown")
    assert told.settle(told.report(Accepted("late")))
    assert (told.status, told.view.provider_message_id) == (Status.SENT, "late")


def test_words_that_are_not_our_own_go_altogether(store: Backend) -> None:
    told = failed(accepted(store, channel=Channel.EMAIL))
    store.burials.bury([DeadLetter(Kind.DELIVERY, f"{ADA} is gone", told.id, 2)])
    erase(store, told.project)
    letters = store.reading.dead_letters(told.project.principal, None, None, 10)
    assert sorted(each.reason for each in letters) == ["erased", "rejected_recipient"]


def test_what_was_erased_is_not_sent_again(store: Backend) -> None:
    told = failed(accepted(store, channel=Channel.EMAIL))
    principal = told.project.principal
    erase(store, told.project)
    (letter,) = store.reading.dead_letters(principal, None, None, 10)
    assert (letter.discarded_at is not None, letter.discard_reason) == (True, "erased")
    assert store.amendments.redrive(principal, letter.dead_letter_id) == []
    assert told.status is Status.FAILED


def test_a_letter_that_comes_late_does_not_send_what_was_erased(store: Backend) -> None:
    told = accepted(store, channel=Channel.EMAIL).lease()
    assert told.settle(told.report(Rejected(RejectionKind.RECIPIENT, "gone"), GiveUp("rejected_recipient: gone")))
    erase(store, told.project)
    store.burials.bury([DeadLetter(Kind.DELIVERY, "rejected_recipient: gone", told.id, 1)])
    (letter,) = store.reading.dead_letters(told.project.principal, None, None, 10)
    assert store.amendments.redrive(told.project.principal, letter.dead_letter_id) == []
    assert told.status is Status.FAILED


def test_a_replayed_request_answers_without_the_person(store: Backend) -> None:
    project = store.project()
    answer = {
        "notifications": [
            {"id": "ntf_1", "status": "scheduled", "to": {"email": ADA}, "content": {"text": "Hi"}, "tags": ["a"]},
            {"id": "ntf_2", "reference": "r", "metadata": {"a": 1}, "deliveries": [{"id": 3, "destination": ADA}]},
        ],
        "links": {"self": "/v1"},
    }
    other = {"id": "ntf_3", "to": {"email": "x" + ADA}}
    for key, told in (("hers", answer), ("another's", other)):
        claim = IdempotencyClaim(key, b"body".ljust(32), told)
        store.acceptances.accept(project.principal, [project.plan()], claim)
    erase(store, project)
    replays = [
        store.acceptances.accept(
            project.principal, [project.plan()], IdempotencyClaim(key, b"body".ljust(32), {"id": "no"})
        )
        for key in ("hers", "another's")
    ]
    assert replays[0] == {
        "notifications": [
            {"id": "ntf_1", "status": "scheduled", "to": {}, "content": {}, "tags": []},
            {"id": "ntf_2", "reference": None, "metadata": {}, "deliveries": [{"id": 3, "destination": "erased"}]},
        ],
        "links": {"self": "/v1"},
    }
    assert replays[1] == other


# Retention


def old(store: Backend, project: Project | None = None, *, days: float = 3, **plan: Any) -> Told:
    """Born days ago, and not ended yet. Weeks are made ahead, not for the past."""
    store.make_week(store.now() - timedelta(days=days))
    return accepted(store, project, born_ago=days * DAY, expires_in=2 * days * DAY, **plan)


def test_content_goes_when_its_project_has_kept_it_long_enough(store: Backend) -> None:
    told = sent(old(store, reference="order-1", tags=("a",)))
    keeps(store, told, 1)
    store.let_pass(DAY - 60)
    assert store.upkeep.erase_content(10) == 0
    store.let_pass(120)
    assert store.upkeep.erase_content(10) == 1
    assert gone(told)
    assert told.status is Status.SENT
    assert store.upkeep.erase_content(10) == 0


def test_content_is_kept_for_ninety_days_unless_a_project_says_otherwise(store: Backend) -> None:
    told = sent(old(store, days=91))
    store.let_pass(89 * DAY)
    assert store.upkeep.erase_content(10) == 0
    store.let_pass(2 * DAY)
    assert store.upkeep.erase_content(10) == 1
    assert gone(told)


def test_each_project_keeps_its_own_for_as_long_as_it_says(store: Backend) -> None:
    short, long = sent(old(store)), sent(old(store))
    keeps(store, short, 1)
    keeps(store, long, 2)
    store.let_pass(1.5 * DAY)
    assert store.upkeep.erase_content(10) == 1
    assert [gone(each) for each in (short, long)] == [True, False]
    store.let_pass(DAY)
    assert store.upkeep.erase_content(10) == 1
    assert gone(long)


@pytest.mark.parametrize("live", ["scheduled", "queued", "sending", "held"])
def test_what_is_live_is_kept_and_goes_when_it_has_ended_for_long_enough(store: Backend, live: str) -> None:
    told = old(store)
    keeps(store, told, 1)
    later = sent(old(store, told.project))
    if live == "queued":
        told.queue()
    if live == "sending":
        told.lease()
    if live == "held":
        store.dispatches.hold([told.fence])
    store.let_pass(1.1 * DAY)
    assert store.upkeep.erase_content(10) == 1
    assert [gone(each) for each in (told, later)] == [False, True]
    assert told.status == live
    store.let_pass(1.1 * DAY)
    assert store.upkeep.erase_content(10) == 0
    if live == "held":
        store.upkeep.release_held(10)
    if live != "sending":
        told.lease()
    assert told.settle(told.report(Accepted("message-1")))
    assert store.upkeep.erase_content(10) == 0
    store.let_pass(2.1 * DAY)
    assert store.upkeep.erase_content(10) == 1
    assert gone(told)


def test_no_more_is_erased_at_once_than_asked_and_the_oldest_first(store: Backend) -> None:
    project = store.project()
    told = [sent(old(store, project, days=days)) for days in (4, 3, 2)]
    keeps(store, told[0], 1)
    store.let_pass(1.1 * DAY)
    assert [store.upkeep.erase_content(2), [gone(each) for each in told]] == [2, [True, True, False]]
    assert [store.upkeep.erase_content(2), store.upkeep.erase_content(2)] == [1, 0]
    assert gone(told[2])


def test_nothing_without_content_is_redriven(store: Backend) -> None:
    told = failed(old(store))
    keeps(store, told, 1)
    store.let_pass(1.1 * DAY)
    assert store.upkeep.erase_content(10) == 1
    (letter,) = store.reading.dead_letters(told.project.principal, None, None, 10)
    assert (letter.reason, letter.discard_reason) == ("rejected_recipient", "erased")
    assert store.amendments.redrive(told.project.principal, letter.dead_letter_id) == []


def test_what_an_erasure_blanked_is_not_counted_again(store: Backend) -> None:
    told = sent(old(store))
    keeps(store, told, 1)
    erase(store, told.project)
    store.let_pass(1.1 * DAY)
    assert store.upkeep.erase_content(10) == 0
    assert gone(told)
