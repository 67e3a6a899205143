"""The reconciler's part of the store."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nofy.adapters.postgres.database import Database, statement
from nofy.adapters.postgres.values import entries, fence_columns, lane
from nofy.domain.accounts import DEFAULT_RETENTION_DAYS
from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.delivery import Fence
from nofy.domain.records import report_from_json
from nofy.domain.retry import DeliveryMode, Tried
from nofy.domain.routing import IDEMPOTENT, Priority, Provider
from nofy.domain.statistics import HOURS_KEPT, MINUTES_KEPT
from nofy.domain.timing import MOST_REQUEUES
from nofy.ports.schedule import Entry
from nofy.ports.upkeep import Backlog, IndexProgress, Overdue, Stuck

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


# Behind every id there is: what is due at a moment itself is not after it.
_LAST_ID = UUID(int=2**128 - 1)


class PostgresUpkeep:
    """Implements :class:`nofy.ports.upkeep.Upkeep`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def index_progress(self) -> IndexProgress | None:
        rows = self._database.run(statement("index_progress"))
        return IndexProgress(*rows[0]) if rows else None

    def save_index_progress(self, progress: IndexProgress) -> None:
        parameters = {"epoch": progress.epoch, "indexed_until": progress.indexed_until}
        self._database.run(statement("save_index_progress"), parameters)

    def waiting_between(self, after: datetime | Entry | None, until: datetime, limit: int) -> list[Entry]:
        moment, identifier = (after.due_at, after.delivery_id) if isinstance(after, Entry) else (after, _LAST_ID)
        parameters = {"after": moment or "-infinity", "after_id": identifier, "until": until, "limit": limit}
        rows = self._database.run(statement("waiting_between"), parameters)
        # A rebuild reads a million rows here, of nine lanes and not many more projects: each is made once.
        known, project = cache(lane), cache(UUID)
        return [
            Entry(known(channel, priority), project(of_project), identifier, due_at)
            for channel, priority, of_project, identifier, due_at in rows
        ]

    def accepted_since(self, since: datetime, until: datetime) -> list[Entry]:
        return entries(self._database.run(statement("accepted_since"), {"since": since, "until": until}))

    def expired_leases(self, limit: int) -> list[Overdue]:
        return [_overdue(row) for row in self._database.run(statement("expired_leases"), {"limit": limit})]

    def stuck_queued(self, older_than_seconds: int, limit: int) -> list[Stuck]:
        parameters = {"seconds": older_than_seconds, "limit": limit}
        return [_stuck(row) for row in self._database.run(statement("stuck_queued"), parameters)]

    def requeue(self, fences: Sequence[Fence]) -> list[Entry]:
        return entries(self._database.run(statement("requeue"), fence_columns(fences) | {"most": MOST_REQUEUES}))

    def release_held(self, limit: int) -> list[Entry]:
        return entries(self._database.run(statement("release_held"), {"limit": limit}))

    def expire_held(self, limit: int) -> int:
        return len(self._database.run(statement("expire_held"), {"limit": limit}))

    def unburied(self, limit: int) -> list[DeadLetter]:
        rows = self._database.run(statement("unburied"), {"limit": limit})
        return [DeadLetter(Kind.DELIVERY, reason, delivery_id, attempt) for delivery_id, attempt, reason in rows]

    def ensure_partitions(self, ahead_days: int) -> None:
        self._database.run(statement("ensure_partitions"), {"days": ahead_days})

    def drop_partition(self, older_than_seconds: int) -> int:
        (week,) = self._database.run(statement("drop_partition"), {"seconds": older_than_seconds})[0]
        return int(week is not None)

    def forget_dead_letters(self, older_than_seconds: int, limit: int) -> int:
        parameters = {"seconds": older_than_seconds, "limit": limit}
        return len(self._database.run(statement("forget_dead_letters"), parameters))

    def erase_content(self, limit: int) -> int:
        parameters = {"days": DEFAULT_RETENTION_DAYS, "limit": limit}
        ((erased,),) = self._database.run(statement("erase_content"), parameters)
        return int(erased)

    def lost(self, waiting_seconds: int, in_hand_seconds: int) -> int:
        without_row, waiting = self._database.run(statement("lost"), {"seconds": waiting_seconds})[0]
        ((in_hand,),) = self._database.run(statement("in_hand_too_long"), {"seconds": in_hand_seconds})
        return max(0, int(without_row)) + int(waiting) + int(in_hand)

    def backlog(self) -> Backlog:
        return Backlog(*self._database.run(statement("backlog"))[0])

    def count_accepted(self) -> None:
        self._database.run(statement("count_accepted"))

    def fold_counts(self, limit: int) -> None:
        parameters = {"minutes_kept": MINUTES_KEPT, "hours_kept": HOURS_KEPT, "limit": limit}
        self._database.run(statement("fold_counts"), parameters)


def _overdue(row: tuple[Any, ...]) -> Overdue:
    delivery_id, attempt_no, spent, priority, mode, expires_at, provider, in_doubt_since, credential_version, report = (
        row
    )
    idempotent = Provider(provider) in IDEMPOTENT
    tried = Tried(spent, Priority(priority), DeliveryMode(mode), expires_at, idempotent, in_doubt_since)
    kept = {"delivery_id": str(delivery_id), "attempt_no": attempt_no, **report} if report else None
    return Overdue(delivery_id, attempt_no, tried, credential_version, report_from_json(kept) if kept else None)


def _stuck(row: tuple[Any, ...]) -> Stuck:
    identifier, attempt_no, due_at, channel, priority, partition, offset = row
    return Stuck(Fence(identifier, attempt_no, due_at), lane(channel, priority), partition, offset)
