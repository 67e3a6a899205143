"""A Lambda function the way every one of ours is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.nag import acknowledge
from infra.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.foundation import Foundation
    from infra.functions import FunctionSpec
    from infra.settings import Settings, Stage

# Caches and tests would change the asset's hash, and so redeploy a function that has not changed.
NOT_CODE = ["__pycache__", "*.pyc", "tests"]


class NofyFunction(Construct):
    """Function, log group with retention, and a role that may write to it; the rest is granted by use.

    The role is ours because CDK's own comes with a managed policy that may write to every log group.
    """

    def __init__(
        self,
        scope: Construct,
        spec: FunctionSpec,
        *,
        stage: Stage,
        settings: Settings,
        foundation: Foundation,
        layers: Sequence[lambda_.ILayerVersion],
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(scope, spec.construct_id)
        name = spec.physical_name(stage)
        log_group = self._log_group(name, settings)
        role = self._role(log_group)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=_code(spec),
            layers=list(layers),
            role=role,
            timeout=cdk.Duration.seconds(spec.timeout),
            memory_size=spec.memory,
            reserved_concurrent_executions=settings.reserved_concurrency.get(spec.name),
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE if settings.tracing else lambda_.Tracing.DISABLED,
            environment={
                "NOFY_STAGE": str(stage),
                "POWERTOOLS_SERVICE_NAME": spec.name,
                "POWERTOOLS_LOG_LEVEL": settings.log_level,
                **environment,
            },
            **foundation.network.place(spec, role),
        )
        self._connect(spec, foundation)

    def _log_group(self, function_name: str, settings: Settings) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{function_name}",
            retention=logs.RetentionDays[settings.log_retention],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _role(self, log_group: logs.LogGroup) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        acknowledge(role, "IAM5[Resource::*]", "Neither network interfaces nor X-Ray segments can be named beforehand")
        return role

    def _connect(self, spec: FunctionSpec, foundation: Foundation) -> None:
        if spec.postgres:
            foundation.data.connect_postgres(self.function, spec.postgres)
        if spec.redis:
            foundation.data.connect_redis(self.function)
        if spec.produces:
            foundation.streaming.connect(self.function, spec.produces, spec.watches)


def _code(spec: FunctionSpec) -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(ROOT / "functions" / spec.folder), exclude=NOT_CODE, ignore_mode=cdk.IgnoreMode.GIT
    )
