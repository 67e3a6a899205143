"""What ``nofy_erase`` does to rows, done to the fakes' rows."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from nofy.domain.lifecycle import Event, Status, allowed
from nofy.ports.accounts import Erased

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from nofy.domain.delivery import Report
    from tests.fakes.tables import DeadLetterRow, DeliveryRow, NotificationRow, Tables

ERASED = "erased"
_BLANK: dict[str, Any] = {"to": {}, "content": {}, "metadata": {}, "tags": [], "reference": None, "destination": ERASED}


def deliveries_of(tables: Tables, row: NotificationRow) -> list[DeliveryRow]:
    ids = (each.delivery_id for each in row.planned.deliveries)
    return [tables.deliveries[each] for each in ids if each in tables.deliveries]


def erase(tables: Tables, notifications: Iterable[NotificationRow], now: datetime) -> Erased:
    done = [_erase_one(tables, each, now) for each in notifications]
    return Erased(*(sum(column) for column in zip(*done, strict=True))) if done else Erased(0, 0, 0, 0)


def _erase_one(tables: Tables, notification: NotificationRow, now: datetime) -> tuple[int, int, int, int]:
    rows = [each for each in deliveries_of(tables, notification) if each.planned.content]
    in_flight = [each for each in rows if each.status is Status.SENDING]
    settled = [each for each in rows if each.status is not Status.SENDING]
    cancelled = [each for each in settled if allowed(each.status, Event.CANCELLED)]
    for row in settled:
        _blank(tables, row, now)
    blanked = not in_flight and bool(notification.planned.draft.content)
    if blanked:
        draft = notification.planned.draft
        gone = replace(draft, to={}, content={}, metadata={}, tags=(), reference=None)
        notification.planned = replace(notification.planned, draft=gone)
    return int(blanked), len(settled), len(cancelled), len(in_flight)


def _blank(tables: Tables, row: DeliveryRow, now: datetime) -> None:
    if allowed(row.status, Event.CANCELLED):
        row.advance(Event.CANCELLED, now)
        row.reason = "its recipient was erased"
    else:
        row.reason = own_words(row.reason) if row.reason else None
    row.planned = replace(row.planned, destination=ERASED, content={})
    row.history = [{key: each[key] for key in each if key != "reason"} for each in row.history]
    for attempt in row.attempts.values():
        attempt.report = attempt.report and _wordless(attempt.report)
    for letter in tables.dead_letters:
        if letter.letter.delivery_id == row.planned.delivery_id:
            put_away(letter, now)


def put_away(row: DeadLetterRow, now: datetime) -> None:
    """A letter of an erased delivery: nobody's words, and nothing to be sent again."""
    row.letter = replace(row.letter, reason=own_words(row.letter.reason))
    if row.redriven_at is None:
        row.discard(ERASED, row.discarded_at or now)


def _wordless(report: Report) -> Report:
    return replace(report, outcome=_without_reason(report.outcome), decision=_without_reason(report.decision))


def _without_reason(what: Any) -> Any:
    return replace(what, reason=ERASED) if "reason" in {each.name for each in fields(what)} else what


def own_words(reason: str) -> str:
    """Of a reason the part that is Nofy's own, without what a provider or a person wrote after it."""
    words = reason.split(":", maxsplit=1)[0]
    return words if re.fullmatch("[A-Za-z_ ]+", words) else ERASED


def erased_answer(answer: Any) -> Any:
    """The answer to a request without its content and addresses."""
    if isinstance(answer, dict):
        return {key: _BLANK[key] if key in _BLANK else erased_answer(value) for key, value in answer.items()}
    return [erased_answer(each) for each in answer] if isinstance(answer, list) else answer
