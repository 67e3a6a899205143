"""The pipeline's parts of the store: dispatcher, consumer, acks, dlq. Each method is one statement, one trip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.database import BY_KEY, Database, statement
from nofy.adapters.postgres.values import array, fence_columns, lane, moments
from nofy.domain.dead_letters import ACCEPTED_AFTER_ALL
from nofy.domain.delivery import Change, Fence, Leased, Report, State, Waiting, report_to_json
from nofy.domain.json_bytes import json_bytes
from nofy.domain.lifecycle import Status
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import Channel, Priority, Provider
from nofy.domain.statistics import decided_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from nofy.domain.dead_letters import DeadLetter
    from nofy.domain.records import QueueRecord
    from nofy.ports.store import Queued


_SOON_ON_DISK = "SELECT set_config('synchronous_commit', 'off', true);"


class PostgresDispatches:
    """Implements :class:`nofy.ports.store.Dispatches`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, ids: Sequence[UUID]) -> list[Waiting]:
        return [_waiting(row) for row in self._database.run(statement("waiting"), {"ids": array(ids)})]

    def mark_queued(self, queued: Sequence[Queued]) -> None:
        if not queued:
            return
        # Nobody waits for the disk: where a crash of PostgreSQL takes a mark back, the delivery is scheduled, and due;
        # its record holds for it as before, and where that is lost too, the reconciler indexes it again.
        columns = fence_columns([each.fence for each in queued])
        columns["partitions"] = array(each.partition for each in queued)
        columns["offsets"] = array(each.offset for each in queued)
        self._database.run(_SOON_ON_DISK + statement("mark_queued"), columns)

    def hold(self, fences: Sequence[Fence]) -> None:
        self._end(fences, Status.HELD, "its integration is held: the provider refused the credential")

    def expire(self, fences: Sequence[Fence]) -> None:
        self._end(fences, Status.EXPIRED, "expired before it could be sent")

    def _end(self, fences: Sequence[Fence], status: Status, reason: str) -> None:
        parameters = fence_columns(fences) | {"status": status, "reason": reason}
        self._database.run(BY_KEY + statement("end_waiting"), parameters)


class PostgresLeases:
    """Implements :class:`nofy.ports.store.Leases`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(self, records: Sequence[QueueRecord], seconds: int) -> list[Leased]:
        parameters: dict[str, Any] = fence_columns([each.fence for each in records])
        parameters["dispatched_ats"] = moments(each.dispatched_at for each in records)
        parameters["seconds"] = seconds
        return [_leased(row) for row in self._database.run(statement("lease"), parameters)]

    def hang_up(self) -> None:
        self._database.close()

    def stand_by(self) -> None:
        # A lease of nothing: the first statement of a session reads the catalogue of every week and every index, which
        # takes three times as long as the lease of a delivery (6 of 10 ms, measured).
        if not self._database.connected:
            self.lease([], 0)

    def keep_reports(self, reports: Sequence[Report]) -> None:
        self._database.run(BY_KEY + statement("keep_reports"), _report_columns(reports, ""))


class PostgresOutcomes:
    """Implements :class:`nofy.ports.store.Outcomes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self, ids: Sequence[UUID]) -> dict[UUID, State]:
        return {row[0]: _state(row) for row in self._database.run(statement("states"), {"ids": array(ids)})}

    def apply(self, changes: Sequence[Change]) -> set[UUID]:
        reports = [report for change in changes for report in change.reports]
        parameters = _change_columns(changes) | _report_columns(reports, "report_") | {"accepted": ACCEPTED_AFTER_ALL}
        return {row[0] for row in self._database.run(statement("apply_changes"), parameters)}


class PostgresBurials:
    """Implements :class:`nofy.ports.store.Burials`."""

    def __init__(self, database: Database, new_id: Callable[[], UUID]) -> None:
        self._database = database
        self._new_id = new_id

    def bury(self, letters: Sequence[DeadLetter]) -> int:
        rows = self._database.run(
            statement("bury"),
            {
                "ids": [self._new_id() for _ in letters],
                "kinds": [each.kind.value for each in letters],
                "reasons": [each.reason for each in letters],
                "fingerprints": [each.fingerprint for each in letters],
                "delivery_ids": [each.delivery_id for each in letters],
                "attempt_nos": [each.attempt_no for each in letters],
                "sources": [each.source for each in letters],
                "raws": [each.raw for each in letters],
                "accepted": ACCEPTED_AFTER_ALL,
            },
        )
        return sum(live for (live,) in rows)


def _waiting(row: tuple[Any, ...]) -> Waiting:
    identifier, attempt_no, due_at, project_id, channel, priority, destination, expires_at, held, weight = row
    fence = Fence(identifier, attempt_no, due_at)
    return Waiting(fence, project_id, lane(channel, priority), destination, expires_at, held, weight)


def _leased(row: tuple[Any, ...]) -> Leased:
    return Leased(
        fence=Fence(row[0], row[1], row[2]),
        project_id=row[3],
        notification_id=row[4],
        integration_id=row[5],
        channel=Channel(row[6]),
        provider=Provider(row[7]),
        priority=Priority(row[8]),
        destination=row[9],
        content=row[10],
        settings=row[11],
        credential=bytes(row[12]),
        credential_version=row[13],
        delivery_mode=DeliveryMode(row[14]),
        expires_at=row[15],
        spent=row[16],
        redrive_no=row[17],
        live=row[18],
        in_doubt_since=row[19],
    )


def _state(row: tuple[Any, ...]) -> State:
    identifier, status, attempt_no, spent, due_at, channel, priority, *more = row
    integration_id, message_id, reason, project_id = more
    where = lane(channel, priority)
    return State(
        identifier, project_id, Status(status), attempt_no, spent, due_at, where, integration_id, message_id, reason
    )


def _report_columns(reports: Sequence[Report], prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}ids": array(each.delivery_id for each in reports),
        f"{prefix}attempt_nos": array(each.attempt_no for each in reports),
        "reports": array(json_bytes(report_to_json(each)).decode() for each in reports),
    }


def _change_columns(changes: Sequence[Change]) -> dict[str, Any]:
    before = [each.before for each in changes]
    after = [each.after for each in changes]
    return {
        "ids": array(each.delivery_id for each in before),
        "old_statuses": array(each.status for each in before),
        "old_attempt_nos": array(each.attempt_no for each in before),
        "old_spents": array(each.spent for each in before),
        "old_due_ats": moments(each.due_at for each in before),
        "statuses": array(each.status for each in after),
        "attempt_nos": array(each.attempt_no for each in after),
        "spents": array(each.spent for each in after),
        "due_ats": moments(each.due_at for each in after),
        "message_ids": array(each.provider_message_id for each in after),
        "reasons": array(each.reason for each in after),
        "held_credentials": array(each.held_credential for each in changes),
        "decided_ats": moments(decided_at(each) for each in changes),
    }
