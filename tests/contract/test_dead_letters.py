"""Dead letters as a person works with them: groups, previews, bounded redrives, edits, discards."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from nofy.domain.dead_letters import ACCEPTED_AFTER_ALL, DeadLetter, Kind, Standing
from nofy.domain.edit import Edit
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Accepted, Outcome, Rejected, RejectionKind, Unknown
from nofy.domain.retry import Decision, DeliveryMode, GiveUp, LeaveUnknown
from nofy.domain.routing import Channel
from nofy.domain.timing import IN_HAND_TOO_LONG
from nofy.domain.tokens import Mode
from nofy.ports.reading import DeadLetterFilter, DeadLetterView, RedrivePreview
from tests.contract.stores import Backend
from tests.contract.stories import Told, accepted, lease
from tests.fakes.projects import Project

ANY = DeadLetterFilter()
SOON = {"limit": 100, "per_second": 10.0, "skip_expired": False}


def buried(store: Backend, project: Project | None = None, reason: str = "gone", **plan) -> Told:
    told = accepted(store, project, **plan).lease()
    fail(told, reason)
    return told


def fail(told: Told, reason: str = "gone") -> None:
    end(told, Rejected(RejectionKind.RECIPIENT, reason), GiveUp(reason), reason)


def unknown(store: Backend, project: Project | None = None) -> Told:
    told = accepted(store, project, mode=DeliveryMode.AT_MOST_ONCE).lease()
    end(told, Unknown("silence"), LeaveUnknown("unknown: silence"), "unknown: silence")
    return told


def end(told: Told, outcome: Outcome, decision: Decision, reason: str) -> None:
    attempt_no = told.state.attempt_no
    assert told.settle(told.report(outcome, decision, attempt_no=attempt_no))
    told.store.burials.bury([DeadLetter(Kind.DELIVERY, reason, told.id, attempt_no)])
    # The next letter is of another millisecond, so that their order is known.
    told.store.let_pass(0.002)
    time.sleep(0.002)


def letters(told: Told, wanted: DeadLetterFilter | None = None) -> list[DeadLetterView]:
    return told.store.reading.dead_letters(told.project.principal, wanted, None, 100)


def letter_of(told: Told) -> DeadLetterView:
    return next(each for each in letters(told) if each.delivery_id == told.id)


def redrive(told: Told, wanted: DeadLetterFilter = ANY, **options):
    return told.store.amendments.redrive_many(told.project.principal, wanted, **(SOON | options))


def discard(told: Told, wanted: DeadLetterFilter = ANY, limit: int = 100, reason: str = "a mistake"):
    return told.store.amendments.discard(told.project.principal, wanted, limit, reason)


# Groups and filters


def test_failures_with_one_cause_are_one_group(store: Backend) -> None:
    first = buried(store, reason="no user 17")
    other = buried(store, first.project, reason="timed out", channel=Channel.EMAIL)
    latest = buried(store, first.project, reason="no user 23")
    discard(first, DeadLetterFilter(ids=(letter_of(first).dead_letter_id,)))
    one, two = store.reading.dead_letter_groups(first.project.principal, None, 10)
    assert (one.letters, one.open, one.latest_reason, one.latest_channel) == (2, 1, "no user 23", "slack")
    assert one.latest_id == letter_of(latest).dead_letter_id
    assert one.fingerprint == letter_of(first).fingerprint
    assert (one.first_seen, one.last_seen) == (letter_of(first).created_at, letter_of(latest).created_at)
    assert (two.letters, two.open, two.latest_reason, two.latest_channel) == (1, 1, "timed out", "email")
    assert two.latest_id == letter_of(other).dead_letter_id


def test_groups_are_read_in_pages(store: Backend) -> None:
    told = buried(store, reason="one")
    for reason in ("two", "three"):
        buried(store, told.project, reason)
    principal = told.project.principal
    first = store.reading.dead_letter_groups(principal, None, 2)
    second = store.reading.dead_letter_groups(principal, first[-1].latest_id, 2)
    assert [each.latest_reason for each in (*first, *second)] == ["three", "two", "one"]


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.TEST])
def test_another_projects_or_modes_letters_are_in_no_group_and_in_no_preview(store: Backend, mode: Mode) -> None:
    told = buried(store)
    other = store.project() if mode is Mode.LIVE else store.second_key(told.project, mode)
    assert store.reading.dead_letter_groups(other.principal, None, 10) == []
    assert store.reading.redrive_preview(other.principal, ANY, 10) == RedrivePreview(0, 0, 0, 0, ())
    assert redrive(replace_project(told, other)).entries == []
    assert discard(replace_project(told, other)).letters == 0
    assert (told.status, letter_of(told).standing) == (Status.FAILED, Standing.OPEN)


def replace_project(told: Told, project: Project) -> Told:
    return Told(told.store, project, told.planned)


def test_letters_are_filtered_by_what_became_of_them_and_by_channel_cause_id_and_time(store: Backend) -> None:
    again = buried(store, reason="one")
    away = buried(store, again.project, reason="two", channel=Channel.EMAIL)
    kept = buried(store, again.project, reason="three")
    for told, act in ((again, redrive), (away, discard)):
        act(told, DeadLetterFilter(ids=(letter_of(told).dead_letter_id,)))
    views = [letter_of(each) for each in (again, away, kept)]
    assert [each.standing for each in views] == [Standing.REDRIVEN, Standing.DISCARDED, Standing.OPEN]
    assert [letters(kept, DeadLetterFilter(standing=each.standing)) for each in views] == [[each] for each in views]
    assert letters(kept, DeadLetterFilter(channel=Channel.EMAIL)) == [views[1]]
    assert letters(kept, DeadLetterFilter(fingerprint=views[2].fingerprint)) == [views[2]]
    assert letters(kept, DeadLetterFilter(ids=(views[0].dead_letter_id,))) == [views[0]]
    assert letters(kept, DeadLetterFilter(ids=())) == []
    assert letters(kept, DeadLetterFilter(notification_id=views[1].notification_id)) == [views[1]]
    assert letters(kept, DeadLetterFilter(created_before=views[1].created_at)) == [views[0]]


# Preview


def test_a_preview_tells_how_many_and_to_whom_and_changes_nothing(store: Backend) -> None:
    told = buried(store)
    for channel in (Channel.SLACK, Channel.EMAIL):
        buried(store, told.project, channel=channel)
    late = buried(store, told.project, channel=Channel.WHATSAPP, born_ago=60, expires_in=30)
    store.burials.bury([DeadLetter(Kind.DELIVERY, "of an earlier attempt", told.id, 0)])
    seen = store.reading.redrive_preview(told.project.principal, ANY, 2)
    few = (("email", "ada@example.com"), ("slack", "C0123"))
    assert seen == RedrivePreview(matching=5, redrivable=4, past_expiry=1, recipients=3, sample=few)
    assert (told.status, late.status, len(letters(told, DeadLetterFilter(standing=Standing.OPEN)))) == (
        Status.FAILED,
        Status.FAILED,
        5,
    )


# Redrive


def test_a_group_is_redriven_once_oldest_first_and_no_faster_than_asked(store: Backend) -> None:
    project = store.project()
    told = [buried(store, project) for _ in range(4)]
    other = buried(store, project, reason="another cause")
    cause = DeadLetterFilter(fingerprint=letter_of(told[0]).fingerprint)
    done = redrive(told[0], cause, limit=3, per_second=0.5)
    assert {each.delivery_id for each in done.entries} == {each.id for each in told[:3]}
    due = sorted(each.due_at for each in done.entries)
    assert [b - a for a, b in zip(due, due[1:], strict=False)] == [timedelta(seconds=2)] * 2
    assert done.remaining == 1
    assert [each.status for each in (*told, other)] == [Status.RETRYING] * 3 + [Status.FAILED] * 2
    again = redrive(told[0], cause)
    assert ([each.delivery_id for each in again.entries], again.remaining) == ([told[3].id], 0)
    assert redrive(told[0], cause).entries == []


def test_every_redriven_delivery_starts_afresh_and_lives_long_enough(store: Backend) -> None:
    told = buried(store, born_ago=60, expires_in=30)
    (entry,) = redrive(told).entries
    view = told.view
    assert (view.status, view.attempt_no, view.spent, view.due_at) == (Status.RETRYING, 2, 0, entry.due_at)
    (leased,) = lease(store, told.current)
    assert leased.redrive_no == 1
    assert leased.expires_at > entry.due_at + timedelta(days=2)


def test_what_is_past_its_expiry_is_skipped_where_that_is_asked(store: Backend) -> None:
    late = buried(store, born_ago=60, expires_in=30)
    fresh = buried(store, late.project)
    done = redrive(late, skip_expired=True)
    assert ([each.delivery_id for each in done.entries], done.remaining) == ([fresh.id], 1)
    assert late.status is Status.FAILED


def test_what_was_left_as_unknown_is_seen_previewed_and_redriven(store: Backend) -> None:
    told = unknown(store)
    assert (letter_of(told).reason, letter_of(told).standing) == ("unknown: silence", Standing.OPEN)
    assert [each.latest_reason for each in store.reading.dead_letter_groups(told.project.principal, None, 10)] == [
        "unknown: silence"
    ]
    seen = store.reading.redrive_preview(told.project.principal, ANY, 2)
    assert (seen.matching, seen.redrivable) == (1, 1)
    (entry,) = redrive(told).entries
    assert (entry.delivery_id, told.status, letter_of(told).standing) == (told.id, Status.RETRYING, Standing.REDRIVEN)


def test_what_was_left_as_unknown_may_be_discarded(store: Backend) -> None:
    told = unknown(store)
    assert discard(told).letters == 1
    assert (told.status, letter_of(told).standing) == (Status.UNKNOWN, Standing.DISCARDED)


def test_a_letter_of_an_earlier_end_leads_nowhere(store: Backend) -> None:
    told = buried(store)
    store.burials.bury([DeadLetter(Kind.DELIVERY, "a letter that came late", told.id, 0)])
    (entry,) = redrive(told).entries
    assert (entry.delivery_id, told.view.attempt_no) == (told.id, 2)


def test_a_delivery_that_fails_again_tells_where_it_came_from(store: Backend) -> None:
    told = buried(store)
    first = letter_of(told)
    redrive(told)
    told_again = told.lease()
    fail(told_again)
    second, known = letters(told)
    assert (known.dead_letter_id, known.standing, known.previous) == (first.dead_letter_id, Standing.REDRIVEN, None)
    assert (second.previous, second.redrive_no, second.standing) == (first.dead_letter_id, 1, Standing.OPEN)
    (noted,) = told.view.history
    assert (noted["event"], noted["dead_letter"]) == ("redriven", str(first.dead_letter_id))


# Edit


def test_one_is_redriven_to_another_address_with_other_content_and_says_so(store: Backend) -> None:
    told = buried(store)
    edit = Edit("C0OTHER", {"text": "It's at 100 % now"})
    letter = letter_of(told)
    assert len(store.amendments.redrive(told.project.principal, letter.dead_letter_id, edit)) == 1
    (leased,) = lease(store, told.current)
    assert (leased.destination, leased.content) == ("C0OTHER", {"text": "It's at 100 % now"})
    edited, redriven = told.view.history
    assert (edited["event"], edited["reason"]) == ("edited", "destination was C0123, another content")
    assert redriven["event"] == "redriven"


@pytest.mark.parametrize(
    ("edit", "noted"),
    [(Edit(destination="C0OTHER"), "destination was C0123"), (Edit(content={"text": "x"}), "another content")],
)
def test_what_an_edit_does_not_name_stays(store: Backend, edit: Edit, noted: str) -> None:
    told = buried(store)
    store.amendments.redrive(told.project.principal, letter_of(told).dead_letter_id, edit)
    (leased,) = lease(store, told.current)
    planned = told.planned.deliveries[0]
    assert leased.destination == (edit.destination or planned.destination)
    assert leased.content == (edit.content or planned.content)
    assert told.view.history[0]["reason"] == noted


# Discard


def test_what_is_discarded_has_a_reason_and_is_not_redriven(store: Backend) -> None:
    told = buried(store)
    others = [buried(store, told.project) for _ in range(2)]
    done = discard(told, limit=2)
    assert (done.letters, done.remaining) == (2, 1)
    standings = [letter_of(each).standing for each in (told, *others)]
    assert standings == [Standing.DISCARDED, Standing.DISCARDED, Standing.OPEN]
    assert letter_of(told).discard_reason == "a mistake"
    assert store.amendments.redrive(told.project.principal, letter_of(told).dead_letter_id) == []
    assert [each.delivery_id for each in redrive(told).entries] == [others[1].id]
    assert (told.status, store.upkeep.unburied(10)) == (Status.FAILED, [])


def test_what_was_redriven_is_not_discarded_and_the_first_reason_stays(store: Backend) -> None:
    told, away = buried(store), buried(store)
    redrive(told)
    assert (discard(told).letters, letter_of(told).discarded_at) == (0, None)
    assert (discard(away).letters, discard(away, reason="another").letters) == (1, 0)
    assert letter_of(away).discard_reason == "a mistake"


# Late truth


@pytest.mark.parametrize("ended", [buried, unknown])
def test_what_was_accepted_after_all_is_discarded_and_not_redriven(store: Backend, ended) -> None:
    told = ended(store)
    bystander = buried(store, told.project)
    assert told.settle(told.report(Accepted("it was sent after all")))
    letter = letter_of(told)
    assert (letter.status, letter.standing, letter.discard_reason) == (
        Status.SENT,
        Standing.DISCARDED,
        ACCEPTED_AFTER_ALL,
    )
    assert letter_of(bystander).standing is Standing.OPEN
    assert [each.delivery_id for each in redrive(told).entries] == [bystander.id]


def test_a_letter_that_comes_after_the_late_truth_is_stored_as_discarded(store: Backend) -> None:
    told = accepted(store).lease()
    assert told.settle(told.report(Accepted("message-1")))
    store.burials.bury([DeadLetter(Kind.DELIVERY, "exhausted: unknown: silence", told.id, 1)])
    assert (letter_of(told).standing, letter_of(told).discard_reason) == (Standing.DISCARDED, ACCEPTED_AFTER_ALL)


def test_what_a_person_did_with_a_letter_before_the_late_truth_stays(store: Backend) -> None:
    away, again = unknown(store), unknown(store)
    discard(away)
    redrive(again)
    for told in (away, again):
        assert told.settle(told.report(Accepted("message-1")))
        assert told.status is Status.SENT
    assert letter_of(away).discard_reason == "a mistake"
    assert (letter_of(again).standing, letter_of(again).discarded_at) == (Standing.REDRIVEN, None)


# Old weeks

DAY = 86_400
OLD = 100 * DAY
RETENTION = 90 * DAY


def old(store: Backend) -> Told:
    """A delivery of a week long ago, in the only such week there is."""
    while store.upkeep.drop_partition(RETENTION):
        pass  # what an earlier case left
    store.make_week(store.now() - timedelta(seconds=OLD))
    return accepted(store, born_ago=OLD, expires_in=2 * OLD)


def gone(told: Told) -> bool:
    return told.store.reading.notification(told.project.principal, told.planned.notification_id) is None


def test_an_old_week_in_which_nothing_is_live_goes_with_its_dead_letters_and_nothing_is_lost(store: Backend) -> None:
    told = old(store).lease()
    fail(told)
    fresh = buried(store, told.project)
    lost = store.upkeep.lost(300, IN_HAND_TOO_LONG)
    assert store.upkeep.forget_dead_letters(RETENTION, 10) == 0
    assert (store.upkeep.drop_partition(RETENTION), store.upkeep.drop_partition(RETENTION)) == (1, 0)
    assert (gone(told), gone(fresh)) == (True, False)
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == lost
    assert (store.upkeep.forget_dead_letters(RETENTION, 10), len(store.dead_letters())) == (1, 1)


def test_a_week_that_is_not_old_enough_stays(store: Backend) -> None:
    told = old(store).lease()
    fail(told)
    assert store.upkeep.drop_partition(int(OLD)) == 0
    assert not gone(told)


def scheduled(_: Told) -> None:
    """As it was accepted."""


def queued(told: Told) -> None:
    told.queue()


def sending(told: Told) -> None:
    told.lease()


def held(told: Told) -> None:
    told.store.dispatches.hold([told.current])


def redriven(told: Told) -> None:
    fail(told.lease())
    redrive(told)


@pytest.mark.parametrize("alive", [scheduled, queued, sending, held, redriven])
def test_an_old_week_stays_while_something_in_it_is_live(store: Backend, alive) -> None:
    told = old(store)
    alive(told)
    assert store.upkeep.drop_partition(RETENTION) == 0
    assert not gone(told)


def test_a_notification_stays_while_a_delivery_of_the_week_after_is_live(store: Backend) -> None:
    told = old(store)
    fail(told.lease())
    # Its second delivery was born a moment later, on the other side of the weeks' edge.
    project = told.project
    planned = project.plan(Channel.SLACK, born_ago=OLD, expires_in=2 * OLD)
    store.make_week(store.now() - timedelta(seconds=OLD - 7 * DAY))
    late = project.plan(Channel.EMAIL, born_ago=OLD - 7 * DAY, expires_in=2 * OLD)
    both = replace(planned, deliveries=(late.deliveries[0],))
    store.acceptances.accept(project.principal, [both])
    assert store.upkeep.drop_partition(RETENTION) == 0
    assert store.reading.notification(project.principal, both.notification_id) is not None
