"""Dead letters are stored once, however often they are told."""

from __future__ import annotations

from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.tokens import Mode
from tests.contract.stores import Backend
from tests.contract.stories import accepted


def test_a_deliverys_dead_letter_is_stored_once_per_attempt(store: Backend) -> None:
    told = accepted(store)
    first = DeadLetter(Kind.DELIVERY, "exhausted: 503", told.id, 1)
    again = DeadLetter(Kind.DELIVERY, "told otherwise", told.id, 1)
    second = DeadLetter(Kind.DELIVERY, "exhausted: 503", told.id, 2)
    store.burials.bury([first, first])
    store.burials.bury([again, second])
    assert store.dead_letters() == [first, second]


def test_what_is_new_and_live_is_counted_for_whoever_is_woken(store: Backend) -> None:
    live, test = accepted(store), accepted(store, store.project(Mode.TEST))
    letters = [DeadLetter(Kind.DELIVERY, "gone", each.id, 1) for each in (live, test)]
    unreadable = DeadLetter(Kind.RECORD, "not JSON", source="nofy.acks.v1/0/9", raw=b"")
    assert store.burials.bury([*letters, unreadable]) == 2
    assert store.burials.bury([*letters, unreadable]) == 0


def test_an_unreadable_record_is_stored_once_with_its_bytes(store: Backend) -> None:
    letter = DeadLetter(Kind.RECORD, "not JSON", source="nofy.acks.v1/0/7", raw=b"\x00\xff{")
    other = DeadLetter(Kind.RECORD, "not JSON", source="nofy.acks.v1/0/8", raw=b"")
    store.burials.bury([letter, letter])
    store.burials.bury([letter, other])
    assert store.dead_letters() == [letter, other]


def test_a_dead_letter_of_a_delivery_that_does_not_exist_is_stored_all_the_same(store: Backend) -> None:
    letter = DeadLetter(Kind.DELIVERY, "exhausted", accepted(store).project.new_id(), 1)
    store.burials.bury([letter])
    assert store.dead_letters() == [letter]


def test_a_project_reads_its_own_dead_letters_only(store: Backend) -> None:
    ours, theirs = accepted(store), accepted(store)
    store.burials.bury([DeadLetter(Kind.DELIVERY, "gone", each.id, 1) for each in (ours, theirs)])
    found = store.reading.dead_letters(ours.project.principal, None, None, 10)
    assert [each.delivery_id for each in found] == [ours.id]


def test_nothing_to_bury(store: Backend) -> None:
    store.burials.bury([])
    assert store.dead_letters() == []
