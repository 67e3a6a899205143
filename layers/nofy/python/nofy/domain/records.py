"""Kafka records, written and read: JSON (``domain/json_bytes.py``) with a version in ``v``.

Records carry the fence and the facts of routing, never the message: the content is read under the lease, so
what is sent is what the row says at that moment, and an erased or cancelled message is nowhere else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from nofy.domain import outcomes, retry
from nofy.domain.delivery import Fence, Report, report_to_json
from nofy.domain.errors import UnreadableRecordError
from nofy.domain.json_bytes import json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

Value = TypeVar("Value")

VERSION = 1


@dataclass(frozen=True, slots=True)
class InboundRecord:
    """One record as an event source hands it over, still bytes."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class OutboundRecord:
    """One record to be produced."""

    topic: str
    key: bytes
    value: bytes
    partition: int | None = None  # None: the one that its key leads to


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """A due delivery on its way to a consumer."""

    fence: Fence
    dispatched_at: datetime


def load(value: bytes) -> dict[str, Any]:
    """A record's JSON object; :class:`UnreadableRecordError` if it is none, or of a version not known here."""
    try:
        document = json.loads(value)
    except (ValueError, RecursionError) as error:  # the latter for JSON that is nested without end
        raise UnreadableRecordError(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise UnreadableRecordError("not a JSON object")
    if document.get("v") != VERSION:
        raise UnreadableRecordError(f"unknown version {document.get('v')!r}")
    return document


def whole(value: Any) -> int:
    """A number that PostgreSQL's ``integer`` holds; ValueError for anything else that a record may say."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError(f"not a whole number that can be stored: {value!r}")
    return value


def optional(read: Callable[[Any], Value], value: Any) -> Value | None:
    """What ``read`` makes of a value that may be absent."""
    return None if value is None else read(value)


def queue_value(fence: Fence, dispatched_at: datetime) -> bytes:
    """The value of a record on a delivery topic."""
    return json_bytes(
        {
            "v": VERSION,
            "delivery_id": fence.delivery_id,
            "attempt_no": fence.attempt_no,
            "due_at": fence.due_at,
            "dispatched_at": dispatched_at,
        },
    )


def read_queue(value: bytes) -> QueueRecord:
    """The inverse of :func:`queue_value`; :class:`UnreadableRecordError` for anything else."""
    document = load(value)
    try:
        fence = Fence(
            UUID(document["delivery_id"]),
            whole(document["attempt_no"]),
            retry.moment(document["due_at"]),
        )
        return QueueRecord(fence, retry.moment(document["dispatched_at"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnreadableRecordError(f"not a delivery record: {error!r}") from error


def ack_value(report: Report) -> bytes:
    """The value of a record on the acks topic."""
    return json_bytes(
        {
            "v": VERSION,
            "delivery_id": str(report.delivery_id),
            "attempt_no": report.attempt_no,
            **report_to_json(report),
        },
    )


def read_ack(value: bytes) -> Report:
    """The inverse of :func:`ack_value`; :class:`UnreadableRecordError` for anything else."""
    return report_from_json(load(value))


def report_from_json(document: dict[str, Any]) -> Report:
    """A report from its flat form plus ``delivery_id`` and ``attempt_no``."""
    try:
        return Report(
            UUID(document["delivery_id"]),
            whole(document["attempt_no"]),
            outcomes.from_json(document),
            retry.from_json(document["decided"]),
            retry.moment(document["finished_at"]),
            optional(whole, document.get("credential_version")),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnreadableRecordError(f"not a report: {error!r}") from error
