"""What the pipeline tells about itself, as CloudWatch metrics: names in one place for the dashboard and the alarms.

Metrics of the namespace ``Nofy`` are written by the functions (:mod:`nofy.runtime.observability`), the rest by AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra import functions

if TYPE_CHECKING:
    from infra.functions import FunctionSpec
    from infra.topology import EventSource
    from nofy.domain.routing import Lane

MINUTE = cdk.Duration.minutes(1)
# Long enough for a rate to mean something on a channel that is used now and then.
ERROR_RATE_PERIOD = cdk.Duration.minutes(5)


def counted(spec: FunctionSpec, name: str, statistic: str = cloudwatch.Stats.SUM) -> cloudwatch.Metric:
    """A figure that one function counts, under the dimensions Powertools gives it."""
    return cloudwatch.Metric(
        namespace="Nofy",
        metric_name=name,
        dimensions_map=_by(spec),
        statistic=statistic,
        period=MINUTE,
    )


def _by(spec: FunctionSpec) -> dict[str, str]:
    return {"service": spec.name, "function": spec.name}


def lost() -> cloudwatch.Metric:
    """Accepted and without a row, or long past due without progress: by design always zero."""
    return counted(functions.RECONCILER, "lost", cloudwatch.Stats.MAXIMUM)


def lateness() -> cloudwatch.Metric:
    """Milliseconds from a delivery's due time to its lease by a consumer."""
    return counted(functions.CONSUMER, "lateness_ms", cloudwatch.Stats.percentile(99))


def lane_lag(lane: Lane) -> cloudwatch.Metric:
    """Milliseconds from a lane's due times to their claim: what waits in Redis, at the worst of each minute."""
    return cloudwatch.Metric(
        namespace="Nofy",
        metric_name="lane_lag_ms",
        dimensions_map={**_by(functions.DISPATCHER), "lane": lane.name},
        statistic=cloudwatch.Stats.MAXIMUM,
        period=MINUTE,
        label=lane.name,
    )


def project_lags() -> cloudwatch.MathExpression:
    """The same by project, of those that are late: whoever they are, so they are searched for."""
    dimensions = ",".join(sorted([*_by(functions.DISPATCHER), "project"]))
    metric = f'{{Nofy,{dimensions}}} MetricName="project_lag_ms"'
    return cloudwatch.MathExpression(expression=f"SEARCH('{metric}', 'Maximum', 60)", label="", period=MINUTE)


def oldest_queued() -> cloudwatch.Metric:
    """Seconds since the oldest delivery that is still ``queued`` was handed to Kafka."""
    return counted(functions.RECONCILER, "oldest_queued_seconds", cloudwatch.Stats.MAXIMUM)


def held_integrations() -> cloudwatch.Metric:
    """Integrations whose credential was refused; their deliveries wait."""
    return counted(functions.RECONCILER, "held_integrations", cloudwatch.Stats.MAXIMUM)


def dead_letters() -> cloudwatch.Metric:
    return counted(functions.DLQ, "dead_letters")


def quota_unavailable(spec: FunctionSpec) -> cloudwatch.Metric:
    """Requests of one function that no limit was held against, because Redis did not answer."""
    return counted(spec, "quota_unavailable")


def audit_unwritten() -> cloudwatch.Metric:
    """Entries that PostgreSQL did not take after what they tell of was done; they stand in the producer's log."""
    return counted(functions.PRODUCER, "audit_unwritten")


def attempts(channel: str, outcome: str) -> cloudwatch.Metric:
    """Outcomes by channel: ``failed`` is every one but an acceptance."""
    return cloudwatch.Metric(
        namespace="Nofy",
        metric_name=f"attempts_{outcome}",
        dimensions_map={**_by(functions.CONSUMER), "channel": channel},
        statistic=cloudwatch.Stats.SUM,
        period=ERROR_RATE_PERIOD,
    )


def lag(source: EventSource, cluster_name: str) -> cloudwatch.Metric:
    """Records of a topic that its consumer group has not read yet."""
    return cloudwatch.Metric(
        namespace="AWS/Kafka",
        metric_name="SumOffsetLag",
        dimensions_map={"Cluster Name": cluster_name, "Consumer Group": source.group, "Topic": source.topic},
        statistic=cloudwatch.Stats.MAXIMUM,
        period=MINUTE,
    )
