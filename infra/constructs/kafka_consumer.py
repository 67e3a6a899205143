"""How Kafka calls functions on AWS: an event source mapping per topic, polled by Lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.nag import acknowledge, logical_id, role_of
from infra.topology import EventSource, OnFailure
from nofy.domain import routing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.settings import PollerSettings
    from infra.stacks.streaming import StreamingStack

# What a mapping's role needs of a cluster that asks for IAM:
# https://docs.aws.amazon.com/lambda/latest/dg/msk-cluster-auth.html
CLUSTER_ACTIONS = ("Connect", "DescribeClusterDynamicConfiguration")
GROUP_ACTIONS = ("AlterGroup", "DescribeGroup")
TOPIC_ACTIONS = ("DescribeTopic", "ReadData")


@jsii.implements(lambda_.IEventSourceDlq)
class _BucketDestination:
    """CDK's own destination lets the function read and delete in the bucket, where writing is what it needs.

    https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html
    """

    def __init__(self, bucket: s3.Bucket) -> None:
        self._bucket = bucket

    def bind(
        self,
        _target: lambda_.IEventSourceMapping,
        target_handler: lambda_.IFunction,
    ) -> lambda_.DlqDestinationConfig:
        contents = self._bucket.arn_for_objects("*")
        target_handler.add_to_role_policy(
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self._bucket.bucket_arn])
        )
        target_handler.add_to_role_policy(iam.PolicyStatement(actions=["s3:PutObject"], resources=[contents]))
        acknowledge(
            role_of(target_handler),
            f"IAM5[Resource::<{logical_id(self._bucket)}.Arn>/*]",
            "Lambda names each failed batch's object itself",
        )
        return lambda_.DlqDestinationConfig(destination=self._bucket.bucket_arn)


class MappedConsumers(Construct):
    """An event source mapping per source, and the bucket for batches that have no topic to go to.

    Retries, halving and partial batches are accepted for provisioned pollers only; CDK does not say so, and the
    deploy would fail. On demand, a mapping with a destination tries eleven times, and its destination is the bucket.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        sources: Sequence[EventSource],
        functions: Mapping[str, lambda_.Function],
        streaming: StreamingStack,
        pollers: PollerSettings | None,
        poller_group: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._streaming = streaming
        self._pollers = pollers
        self._poller_group = poller_group
        self.failed = self._bucket()
        for source in sources:
            self._map(source, functions[source.function])

    def _map(self, source: EventSource, function: lambda_.Function) -> None:
        acknowledge(
            role_of(function),
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaMSKExecutionRole]",
            "The CDK attaches what AWS documents for pollers of MSK; reading topics is granted by name",
        )
        self._streaming.grant_cluster(function, *CLUSTER_ACTIONS)
        self._streaming.grant_groups(function, [source.group], *GROUP_ACTIONS)
        self._streaming.grant_topics(function, [source.topic], *TOPIC_ACTIONS)
        function.add_event_source(
            event_sources.ManagedKafkaEventSource(
                cluster_arn=self._streaming.cluster_arn,
                topic=source.topic,
                consumer_group_id=source.group,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=source.batch.size,
                max_batching_window=cdk.Duration.seconds(source.batch.window_seconds),
                on_failure=self._destination(source, function),
                **self._provisioned(source),
            )
        )

    def _destination(self, source: EventSource, function: lambda_.Function) -> lambda_.IEventSourceDlq | None:
        if source.on_failure is OnFailure.NOWHERE:
            return None
        if source.on_failure is OnFailure.TOPIC and self._pollers:
            self._streaming.grant_topics(function, [routing.ESM_FAILURES_TOPIC], "DescribeTopic", "WriteData")
            return event_sources.KafkaDlq(routing.ESM_FAILURES_TOPIC)
        return _BucketDestination(self.failed)

    def _provisioned(self, source: EventSource) -> dict[str, Any]:
        if self._pollers is None:
            return {}
        return {
            "provisioned_poller_config": event_sources.ProvisionedPollerConfig(
                minimum_pollers=self._pollers.minimum,
                maximum_pollers=self._pollers.maximum,
                poller_group_name=self._poller_group,
            ),
            "retry_attempts": source.retry_attempts,
            "bisect_batch_on_error": True,
            "report_batch_item_failures": True,
        }

    def _bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Failed",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(90))],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        acknowledge(bucket, "S1", "Written by Lambda alone, read by people with the runbook; CloudTrail sees both")
        return bucket
