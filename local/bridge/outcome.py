"""What an invoke said about a batch, by the rules of Lambda's event source mappings for Kafka.

https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.bridge.event import Batch


@dataclass(frozen=True, slots=True)
class Done:
    """Every record was taken."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Records before ``offset`` were taken; that one and all after it are tried again."""

    offset: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The function failed on the batch as a whole."""

    reason: str


Outcome = Done | Partial | Failed


def outcome_of(batch: Batch, function_error: str | None, response: bytes) -> Outcome:
    """No answer, or one without failures, means done; a failure that names no record of the batch spoils it all."""
    if function_error is not None:
        return Failed(f"{function_error}: {response.decode(errors='replace')[:2000]}")
    try:
        answer = json.loads(response or b"null")
    except json.JSONDecodeError:
        return Failed(f"the function's answer is not JSON: {response[:200]!r}")
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not failures:
        return Done()
    return _partial(batch, failures)


def _partial(batch: Batch, failures: Any) -> Outcome:
    key = f"{batch.first.topic}-{batch.first.partition}"
    known = {record.offset for record in batch.records}
    offsets = [_offset(failure, key) for failure in failures]
    for offset, failure in zip(offsets, failures, strict=True):
        if offset not in known:
            return Failed(f"batchItemFailures has an entry that names no record of the batch: {failure!r}")
    first = min(offset for offset in offsets if offset is not None)
    return Failed("every record of the batch failed") if first == batch.first.offset else Partial(first)


def _offset(failure: Any, key: str) -> int | None:
    """``{"itemIdentifier": {"partition": "<topic>-<partition>", "offset": 12}}``, or None for anything else."""
    identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
    if not isinstance(identifier, dict) or identifier.get("partition") != key:
        return None
    offset = identifier.get("offset")
    return offset if type(offset) is int else None
