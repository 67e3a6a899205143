"""Amend: what a person changes about work under way. The row decides; the index follows as well as it can."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nofy.domain.dead_letters import Standing
from nofy.domain.errors import ConflictError, InvalidRequestError, NotFoundError, ScheduleUnavailableError
from nofy.domain.lifecycle import Status
from nofy.domain.notification import time_errors
from nofy.domain.timing import ACCEPT_WINDOW
from nofy.ports.reading import DeadLetterFilter

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.edit import Edit
    from nofy.domain.notification import Principal
    from nofy.ports.clock import Clock
    from nofy.ports.reading import DeadLetterView, NotificationView, Reading
    from nofy.ports.schedule import Entry, Schedule
    from nofy.ports.store import Amendments, Discarded, Redriven

log = logging.getLogger(__name__)


class Amender:
    """One function's ports."""

    def __init__(self, store: Amendments, reading: Reading, schedule: Schedule, clock: Clock) -> None:
        self._store = store
        self._reading = reading
        self._schedule = schedule
        self._clock = clock

    def cancel(self, principal: Principal, notification_id: UUID) -> NotificationView:
        """Stop every delivery that has not been begun. A 200 means that none of those will be sent.

        Raises NotFoundError, or ConflictError where there was nothing left to stop. Cancelling twice is no error.
        """
        stopped = self._store.cancel(principal, notification_id)
        self._forget(stopped)
        view = self._found(principal, notification_id)
        if not stopped and Status.CANCELLED not in {each.status for each in view.deliveries}:
            raise ConflictError("not_cancellable", "every delivery is being sent, or has ended")
        return view

    def move(
        self, principal: Principal, notification_id: UUID, send_at: datetime, expires_at: datetime | None
    ) -> NotificationView:
        """Give the notification another time; an expiry that was not given moves along with it.

        Raises NotFoundError, InvalidRequestError, or ConflictError where nothing waits for its first time any more.
        """
        view = self._found(principal, notification_id)
        now = self._clock()
        if errors := time_errors(send_at, expires_at, now):  # before the sum below, which may leave the calendar
            raise InvalidRequestError(errors)
        send_at = max(send_at, now)
        ends = expires_at or view.expires_at + (send_at - view.send_at)
        if errors := time_errors(send_at, ends, now):
            raise InvalidRequestError(errors)
        moved = self._store.move(principal, notification_id, send_at, ends)
        if not moved:
            raise ConflictError("not_movable", "no delivery is waiting for its first time any more")
        self._reindex(moved, now)
        return self._found(principal, notification_id)

    def redrive(self, principal: Principal, dead_letter_id: UUID, edit: Edit | None = None) -> DeadLetterView:
        """Send a dead letter again, once, to another address or with other content where an edit says so.

        Raises NotFoundError, or ConflictError where it was redriven or discarded before, or has moved on.
        """
        redriven = self._store.redrive(principal, dead_letter_id, edit)
        letter = self._letter(principal, dead_letter_id)
        if not redriven:
            became = f"{letter.standing}, and its delivery {letter.status}"
            raise ConflictError("not_redrivable", f"this dead letter is {became} by now")
        self._reindex(redriven, self._clock())
        return letter

    def redrive_many(
        self, principal: Principal, wanted: DeadLetterFilter, limit: int, per_second: float, *, skip_expired: bool
    ) -> Redriven:
        """Send open dead letters again, at most ``limit`` of them, due one after the other."""
        redriven = self._store.redrive_many(principal, wanted, limit, per_second, skip_expired=skip_expired)
        self._reindex(redriven.entries, self._clock())
        return redriven

    def discard(self, principal: Principal, dead_letter_id: UUID, reason: str) -> DeadLetterView:
        """Put a dead letter away, for good. Twice is no error, and the first reason stays.

        Raises NotFoundError, or ConflictError where it was redriven before.
        """
        self._store.discard(principal, DeadLetterFilter(ids=(dead_letter_id,)), 1, reason)
        letter = self._letter(principal, dead_letter_id)
        if letter.standing is not Standing.DISCARDED:
            raise ConflictError("not_discardable", f"this dead letter is {letter.standing} by now")
        return letter

    def discard_many(self, principal: Principal, wanted: DeadLetterFilter, limit: int, reason: str) -> Discarded:
        """Put open dead letters away, at most ``limit`` of them."""
        return self._store.discard(principal, wanted, limit, reason)

    def _letter(self, principal: Principal, dead_letter_id: UUID) -> DeadLetterView:
        letter = self._reading.dead_letter(principal, dead_letter_id)
        if letter is None:
            raise NotFoundError(str(dead_letter_id))
        return letter

    def _found(self, principal: Principal, notification_id: UUID) -> NotificationView:
        view = self._reading.notification(principal, notification_id)
        if view is None:
            raise NotFoundError(str(notification_id))
        return view

    def _reindex(self, entries: list[Entry], now: datetime) -> None:
        """Inside the window at their new time; what is due beyond it leaves the index until it comes near."""
        horizon = now + timedelta(seconds=ACCEPT_WINDOW)
        self._forget([each for each in entries if each.due_at > horizon])
        try:
            self._schedule.add([each for each in entries if each.due_at <= horizon], now)
        except ScheduleUnavailableError:
            log.warning("not indexed; the reconciler will", extra={"deliveries": len(entries)}, exc_info=True)

    def _forget(self, entries: list[Entry]) -> None:
        """Only tidiness: the dispatcher looks at the row before it sends anything."""
        if not entries:
            return
        try:
            self._schedule.remove(entries)
        except ScheduleUnavailableError:
            log.info("stale ids stay in the index until they are due", exc_info=True)
