"""The truth and its index: PostgreSQL and Valkey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from infra.constructs.cache import Cache
from infra.constructs.database import Database

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from infra.functions import PostgresRole
    from infra.settings import CloudSettings, Settings, Stage
    from infra.stacks.network import NetworkStack


class DataStack(cdk.Stack):
    """Stateful: in prod it cannot be deleted by mistake, and what it holds is kept as a snapshot."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Settings,
        cloud: CloudSettings,
        network: NetworkStack,
        env: cdk.Environment,
    ) -> None:
        super().__init__(scope, construct_id, env=env, termination_protection=settings.retain_data)
        self.database = Database(self, "Database", settings=settings, postgres=cloud.postgres, network=network)
        self.cache = Cache(self, "Cache", stage=stage, cache=cloud.cache, network=network)

    def connect_postgres(self, function: lambda_.Function, role: PostgresRole) -> None:
        self.database.connect(function, role)

    def connect_redis(self, function: lambda_.Function) -> None:
        self.cache.connect(function)
