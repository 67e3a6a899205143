"""The application: every function, what calls it, and what it may do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import triggers

from infra import functions, topology
from infra.constructs.minute_ticks import MinuteTicks
from infra.constructs.nofy_function import NofyFunction
from infra.constructs.rest_api import NotificationApi

if TYPE_CHECKING:
    from constructs import Construct

    from infra.foundation import Foundation
    from infra.functions import FunctionSpec
    from infra.settings import ProviderSettings, Settings, Stage


class ApplicationStack(cdk.Stack):
    """Stateless but for the key, which outlives the stack wherever data does."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Settings,
        foundation: Foundation,
        env: cdk.Environment,
    ) -> None:
        super().__init__(scope, construct_id, env=env)
        self._stage = stage
        self._settings = settings
        self._foundation = foundation
        self._layers = foundation.packaging.layers(self)
        self.functions = {spec.name: self._function(spec) for spec in functions.FUNCTIONS}
        self.key = self._credentials_key()
        self._wire_senders()
        self.ticks = MinuteTicks(
            self,
            "Ticks",
            functions={spec.construct_id: self._of(spec) for spec in (functions.DISPATCHER, functions.RECONCILER)},
        )
        foundation.streaming.consume(self, topology.event_sources(settings), self.functions)
        self.api = NotificationApi(self, "Api", stage=stage, settings=settings, producer=self._of(functions.PRODUCER))
        if settings.cloud:
            self._migrate_first()
        self._outputs()

    def _function(self, spec: FunctionSpec) -> lambda_.Function:
        return NofyFunction(
            self,
            spec,
            stage=self._stage,
            settings=self._settings,
            foundation=self._foundation,
            layers=self._layers,
            environment=environment(spec, self._stage, self._foundation.providers),
        ).function

    def _of(self, spec: FunctionSpec) -> lambda_.Function:
        return self.functions[spec.name]

    def _credentials_key(self) -> kms.Key:
        """Seals the providers' credentials: without it they are lost, so it stays when the stack goes."""
        return kms.Key(
            self,
            "CredentialsKey",
            alias=f"alias/nofy-{self._stage}",
            description="Seals the credentials of Nofy's integrations",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN if self._settings.retain_data else cdk.RemovalPolicy.DESTROY,
        )

    def _wire_senders(self) -> None:
        """Only senders open credentials, only the consumer calls them (``grant_invoke`` adds versions)."""
        senders = [self._of(spec) for spec in functions.SENDERS.values()]
        for sender in senders:
            self.key.grant_decrypt(sender)
        self._of(functions.CONSUMER).add_to_role_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=[sender.function_arn for sender in senders]
            )
        )

    def _migrate_first(self) -> None:
        """Nothing reads or writes rows before the schema is the one its code was written for.

        On one machine the migration is invoked by hand, after the deploy.
        """
        mappings = [each for each in self.node.find_all() if isinstance(each, lambda_.EventSourceMapping)]
        triggers.Trigger(
            self,
            "Migration",
            handler=self._of(functions.MIGRATE),
            timeout=cdk.Duration.seconds(functions.MIGRATE.timeout),
            execute_on_handler_change=True,
            execute_before=[self.ticks, self.api, *mappings],
        )

    def _outputs(self) -> None:
        cdk.CfnOutput(self, "ApiUrl", value=self.api.url)
        cdk.CfnOutput(self, "RestApiId", value=self.api.rest_api_id)
        cdk.CfnOutput(self, "ApiStageName", value=self.api.deployment_stage.stage_name)
        cdk.CfnOutput(self, "KmsKeyAlias", value=f"alias/nofy-{self._stage}")


def environment(spec: FunctionSpec, stage: Stage, providers: ProviderSettings) -> dict[str, str]:
    """The variables that are one function's alone."""
    if spec == functions.CONSUMER:
        names = {provider: sender.physical_name(stage) for provider, sender in functions.SENDERS.items()}
        return {"SENDER_FUNCTIONS": json.dumps(names)}
    for provider, sender in functions.SENDERS.items():
        if spec == sender:
            name = f"{provider}_api_url"
            return {name.upper(): getattr(providers, name)}
    return {}
