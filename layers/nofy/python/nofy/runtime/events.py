"""What Lambda's event sources hand over, as the pipeline's own types."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from nofy.domain.records import InboundRecord
from nofy.runtime import clock


def kafka_records(event: dict[str, Any]) -> list[InboundRecord]:
    """The records of an MSK event, in the order of their offsets within each partition."""
    return [_record(each) for records in event["records"].values() for each in records]


def _record(value: dict[str, Any]) -> InboundRecord:
    key = value.get("key")
    return InboundRecord(
        topic=value["topic"],
        partition=value["partition"],
        offset=value["offset"],
        key=base64.b64decode(key) if key is not None else None,
        # A record without a value (a tombstone) is nobody's; it is unreadable like any other wrong record.
        value=base64.b64decode(value.get("value") or ""),
        timestamp_ms=value["timestamp"],
    )


def ends_at(context: Any, margin_seconds: float) -> datetime:
    """When this invocation must have finished, ``margin_seconds`` before Lambda ends it."""
    left = context.get_remaining_time_in_millis() / 1_000
    return clock.now() + timedelta(seconds=left - margin_seconds)
