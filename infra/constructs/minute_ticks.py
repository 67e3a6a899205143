"""Functions that a clock starts every minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.nag import acknowledge, logical_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_lambda as lambda_

# A tick that is late by a whole period is worth nothing: the next one does its work.
MAX_AGE = cdk.Duration.seconds(60)


class MinuteTicks(Construct):
    """One schedule per function, and one queue for the ticks that never became a run.

    The scheduler hands a tick to Lambda's own queue, which would add two retries and keep throttled ticks for
    six hours: both layers are told not to, and both report to the same queue.
    """

    def __init__(self, scope: Construct, construct_id: str, *, functions: Mapping[str, lambda_.Function]) -> None:
        super().__init__(scope, construct_id)
        self.missed = sqs.Queue(
            self,
            "Missed",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=cdk.Duration.days(14),
        )
        acknowledge(self.missed, "SQS3", "It is the dead-letter queue")
        for name, function in functions.items():
            self._tick(name, function)

    def _tick(self, name: str, function: lambda_.Function) -> None:
        function.configure_async_invoke(
            retry_attempts=0, max_event_age=MAX_AGE, on_failure=destinations.SqsDestination(self.missed)
        )
        acknowledge(
            cdk.Stack.of(self),
            f"IAM5[Resource::<{logical_id(function)}.Arn>:*]",
            "The CDK lets the scheduler invoke any version of this one function",
        )
        scheduler.Schedule(
            self,
            name,
            schedule=scheduler.ScheduleExpression.rate(cdk.Duration.minutes(1)),
            target=targets.LambdaInvoke(
                function, retry_attempts=0, max_event_age=MAX_AGE, dead_letter_queue=self.missed
            ),
        )
