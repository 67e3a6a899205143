"""How Kafka calls functions where nothing polls it: the event sources as a list, for the bridge that does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.topology import UNLIMITED, EventSource, OnFailure
from nofy.domain import routing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_lambda as lambda_

    from infra.settings import Stage


class PublishedConsumers(Construct):
    """The event sources as one SSM parameter, for the bridge that plays Lambda's pollers on one machine.

    Emulators either refuse Kafka event source mappings or accept them and forget their topics.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        sources: Sequence[EventSource],
        functions: Mapping[str, lambda_.Function],
    ) -> None:
        super().__init__(scope, construct_id)
        entries = [_entry(source, functions[source.function].function_name) for source in sources]
        ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=f"/nofy/{stage}/kafka-consumers",
            string_value=json.dumps(entries, separators=(",", ":")),
        )


def _entry(source: EventSource, function_name: str) -> dict[str, Any]:
    """There is no bucket here, so a source whose failures would go to one is never given up on."""
    to_topic = source.on_failure is OnFailure.TOPIC
    return {
        "topic": source.topic,
        "group": source.group,
        "batch_size": source.batch.size,
        "window_ms": source.batch.window_seconds * 1000,
        "function": function_name,
        "partitions": source.partitions,
        "on_failure": routing.ESM_FAILURES_TOPIC if to_topic else None,
        "retry_attempts": source.retry_attempts if to_topic else UNLIMITED,
    }
