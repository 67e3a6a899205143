"""The public API: a REST API (v1, and docs/adr/0004 says why) in front of the functions that answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs

from infra.constructs.problem_responses import add_problem_responses
from infra.nag import acknowledge

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from infra.settings import Settings, Stage

STAGE_NAME = "live"

# First parts of the paths below /v1 that the console answers, with everything below them.
CONSOLE_ROUTES = ("me", "projects", "invitations", "recipients")


class NotificationApi(apigateway.RestApi):
    """Routing is the producer's: the gateway keeps size and rate, logs access, and has a firewall in front."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Settings,
        producer: lambda_.Function,
        console: lambda_.Function,
        session: lambda_.Function,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            rest_api_name=f"nofy-{stage}",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=settings.cloud is not None,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE_NAME,
                throttling_rate_limit=settings.api.requests_per_second,
                throttling_burst_limit=settings.api.burst,
                tracing_enabled=settings.tracing,
                **(_logging(scope, settings) if settings.cloud else {}),
            ),
        )
        self._route(producer, console, session)
        add_problem_responses(self)
        _acknowledge(self, firewall=bool(settings.cloud and settings.cloud.firewall))
        self.node.try_remove_child("Endpoint")  # an output with a hashed name; the stack's own is ApiUrl

    def _route(self, producer: lambda_.Function, console: lambda_.Function, session: lambda_.Function) -> None:
        """What is not named here is the producer's, below ``/v1`` as well: a named part of a path hides the rest."""
        to_producer, to_console, to_session = (
            apigateway.LambdaIntegration(function, allow_test_invoke=False) for function in (producer, console, session)
        )
        self.root.add_method("ANY", to_producer)
        self.root.add_proxy(default_integration=to_producer)
        v1 = self.root.add_resource("v1")
        v1.add_proxy(default_integration=to_producer)
        v1.add_resource("session").add_method("ANY", to_session)
        for name in CONSOLE_ROUTES:
            resource = v1.add_resource(name)
            resource.add_method("ANY", to_console)
            resource.add_proxy(default_integration=to_console)


def _acknowledge(api: NotificationApi, *, firewall: bool) -> None:
    acknowledge(api, "APIG2", "The producer validates, and answers with every field error at once")
    acknowledge(api, "APIG4", "API tokens are the producer's: their hashes are in PostgreSQL")
    acknowledge(api, "COG4", "Callers are servers with API tokens, not people of a user pool")
    acknowledge(
        api,
        "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
        "The one policy with which API Gateway may write its logs, in AWS's own words",
    )
    if not firewall:
        acknowledge(api, "APIG3", "A stage for trying out does without a firewall")


def _logging(scope: Construct, settings: Settings) -> dict[str, Any]:
    """Who asked for what and how it went, as JSON; bodies and headers (tokens) are not in it."""
    group = logs.LogGroup(
        scope,
        "AccessLogs",
        retention=logs.RetentionDays[settings.log_retention],
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    return {
        "access_log_destination": apigateway.LogGroupLogDestination(group),
        "access_log_format": apigateway.AccessLogFormat.json_with_standard_fields(
            caller=False,
            http_method=True,
            ip=True,
            protocol=True,
            request_time=True,
            resource_path=True,
            response_length=True,
            status=True,
            user=False,
        ),
        "logging_level": apigateway.MethodLoggingLevel.ERROR,
        "data_trace_enabled": False,
        "metrics_enabled": True,
    }
