"""The record that goes to an on-failure topic when a batch's retries are spent.

One message for each record, under the record's own key, with the record as it came and the story of its failure:
https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from local.bridge.event import CLUSTER_ARN, Record, event
from local.environment import ACCOUNT, REGION

RETRIES_EXHAUSTED = "RetriesExhausted"
TOO_LARGE = "MaximumPayloadSizeExceeded"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Why a record was given up, after how many invokes of which function, and when."""

    function: str
    condition: str
    invokes: int
    at: datetime


def failure_message(record: Record, given_up: GivenUp, bootstrap: str) -> bytes:
    payload = event([record], bootstrap)
    message = {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{given_up.function}:$LATEST",
            "condition": given_up.condition,
            "approximateInvokeCount": given_up.invokes,
        },
        "responseContext": _response_context(given_up),
        "version": "1.0",
        "timestamp": _iso(given_up.at),
        "KafkaBatchInfo": {
            "batchSize": 1,
            "eventSourceArn": CLUSTER_ARN,
            "bootstrapServers": bootstrap,
            "payloadSize": len(json.dumps(payload, separators=(",", ":"))),
            "recordInfo": {
                "offset": str(record.offset),
                "timestamp": _iso(datetime.fromtimestamp(record.timestamp / 1000, UTC)),
            },
        },
        "payload": payload,
    }
    return json.dumps(message, separators=(",", ":")).encode()


def _response_context(given_up: GivenUp) -> dict[str, object] | None:
    """Null where the function was never invoked."""
    if given_up.condition == TOO_LARGE:
        return None
    return {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
