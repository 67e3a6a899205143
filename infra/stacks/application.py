"""The application: every function, what calls it, and what it may do."""

from __future__ import annotations

import json
from dataclasses import asdict
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
from infra.constructs.signing_keys import SigningKeys

if TYPE_CHECKING:
    from constructs import Construct

    from infra.foundation import Foundation
    from infra.functions import FunctionSpec
    from infra.settings import ConsoleSettings, Settings, Stage


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
        self._wire_console()
        self.ticks = MinuteTicks(
            self,
            "Ticks",
            functions={spec.construct_id: self._of(spec) for spec in (functions.DISPATCHER, functions.RECONCILER)},
        )
        foundation.streaming.consume(self, topology.event_sources(settings), self.functions)
        self.api = NotificationApi(self, "Api", stage=stage, settings=settings, **self._answering())
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
            environment=environment(spec, self._stage, self._foundation, self._settings),
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

    def _wire_console(self) -> None:
        """The vault only seals, and only the console calls it; who signs people in holds the key to sign with."""
        vault, console = self._of(functions.VAULT), self._of(functions.CONSOLE)
        self.key.grant(vault, "kms:Encrypt")
        vault.add_environment("CREDENTIALS_KEY_ID", self.key.key_id)
        console.add_to_role_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[vault.function_arn])
        )
        SigningKeys(
            self,
            "SigningKeys",
            settings=self._settings,
            maker=self._of(functions.KEYS),
            signer=self._of(functions.SESSION),
            readers=[self._of(functions.PRODUCER), console],
        )

    def _answering(self) -> dict[str, lambda_.Function]:
        """Who answers the API's requests."""
        return {spec.name: self._of(spec) for spec in (functions.PRODUCER, functions.CONSOLE, functions.SESSION)}

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


def environment(spec: FunctionSpec, stage: Stage, foundation: Foundation, settings: Settings) -> dict[str, str]:
    """The variables that are one function's alone."""
    issuer = {"CONSOLE_ISSUER": f"nofy-{stage}"}
    if spec == functions.SESSION:
        return issuer | _sign_in(foundation.console) | _origins(foundation.console)
    if spec == functions.PRODUCER:
        return issuer | _origins(foundation.console)
    if spec == functions.CONSOLE:
        url = foundation.console.url
        vault = {"VAULT_FUNCTION": functions.VAULT.physical_name(stage)}
        return issuer | vault | _origins(foundation.console) | ({"CONSOLE_URL": url} if url else {})
    if spec == functions.VAULT:
        return {name.upper(): url for name, url in asdict(foundation.providers).items()}
    if spec == functions.DISPATCHER:
        return {"TARGET_LAG": json.dumps(topology.target_lag(settings))}
    if spec == functions.CONSUMER:
        names = {provider: sender.physical_name(stage) for provider, sender in functions.SENDERS.items()}
        return {"SENDER_FUNCTIONS": json.dumps(names)}
    for provider, sender in functions.SENDERS.items():
        if spec == sender:
            name = f"{provider}_api_url"
            return {name.upper(): getattr(foundation.providers, name)}
    return {}


def _sign_in(console: ConsoleSettings) -> dict[str, str]:
    """Who vouches for people."""
    variables: dict[str, str] = {}
    if console.appwrite:
        variables |= {"APPWRITE_ENDPOINT": console.appwrite.endpoint, "APPWRITE_PROJECT": console.appwrite.project}
    if console.oidc:
        variables |= {"OIDC_ISSUER": console.oidc.issuer, "OIDC_AUDIENCE": console.oidc.audience}
    return variables


def _origins(console: ConsoleSettings) -> dict[str, str]:
    return {"CORS_ORIGINS": console.cors_origins} if console.cors_origins else {}
