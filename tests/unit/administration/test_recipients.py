"""Erasure: what it does, what it says of the rest, and that the log of it names nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.administration.recipients import REMAINS, erase, fingerprint
from nofy.ports.accounts import Erased

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from nofy.domain.accounts import AuditEntry
    from tests.unit.administration.conftest import Office


class Belongings:
    """Erases so much, and remembers what it was asked."""

    def __init__(self, in_flight: int = 0) -> None:
        self.in_flight = in_flight
        self.asked: list[tuple[UUID, Sequence[str]]] = []
        self.entries: list[AuditEntry] = []

    def erase_recipient(self, project_id: UUID, addresses: Sequence[str], entry: AuditEntry) -> Erased:
        self.asked.append((project_id, addresses))
        self.entries.append(entry)
        return Erased(3, 5, 2, self.in_flight)


def test_an_address_is_looked_for_as_it_was_given_and_in_small_letters(office: Office):
    belongings = Belongings()
    done = erase(office.project_id, "Ada@Example.com", office.occasion(), belongings)  # type: ignore[arg-type]
    assert belongings.asked == [(office.project_id, ["Ada@Example.com", "ada@example.com"])]
    assert (done.erased, done.remains) == (Erased(3, 5, 2, 0), REMAINS)


def test_what_is_being_sent_this_moment_is_told(office: Office):
    done = erase(office.project_id, "+15550100001", office.occasion(), Belongings(2))  # type: ignore[arg-type]
    assert done.remains[0].startswith("2 deliveries were being sent")
    assert done.remains[1:] == REMAINS


def test_the_log_says_that_and_not_who(office: Office):
    belongings = Belongings()
    erase(office.project_id, "Ada@Example.com", office.occasion(), belongings)  # type: ignore[arg-type]
    (entry,) = belongings.entries
    assert (entry.action, entry.target) == ("recipient.erased", "recipient")
    assert entry.details == {"address_sha256": fingerprint(office.project_id, "ada@example.com")}
    assert "ada" not in repr(entry).lower()


def test_the_same_address_is_another_hash_in_another_project(office: Office):
    assert fingerprint(office.project_id, "ada@example.com") != fingerprint(office.new_id(), "ada@example.com")
