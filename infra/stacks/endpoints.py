"""Stage ``local``: servers that run on this machine, in place of the network, data and streaming stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_lambda as lambda_

from infra.constructs.published_consumers import PublishedConsumers
from infra.foundation import Foundation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_iam as iam
    from constructs import Construct

    from infra.functions import FunctionSpec, PostgresRole
    from infra.local_context import LocalContext, PostgresDsns
    from infra.settings import Stage
    from infra.topology import EventSource
    from nofy.domain.routing import Lane


class LocalNetwork:
    """No network of its own: every function reaches everything on the loopback."""

    def place(self, spec: FunctionSpec, role: iam.Role) -> Mapping[str, Any]:  # noqa: ARG002
        return {}


class LocalData:
    """PostgreSQL and Redis by address; there is no IAM to ask."""

    def __init__(self, postgres: PostgresDsns, redis_url: str) -> None:
        self._postgres = postgres
        self._redis_url = redis_url

    def connect_postgres(self, function: lambda_.Function, role: PostgresRole) -> None:
        function.add_environment("POSTGRES_DSN", getattr(self._postgres, f"{role}_dsn"))

    def connect_redis(self, function: lambda_.Function) -> None:
        function.add_environment("REDIS_URL", self._redis_url)


class LocalStreaming:
    """A Kafka broker by address, and a bridge outside the emulator that polls it."""

    def __init__(self, stage: Stage, bootstrap: str, *, reports_lag: bool) -> None:
        self._stage = stage
        self._bootstrap = bootstrap
        self._reports_lag = reports_lag

    def connect(
        self,
        function: lambda_.Function,
        produces: Sequence[str],  # noqa: ARG002
        watches: Sequence[Lane],
    ) -> None:
        function.add_environment("KAFKA_BOOTSTRAP", self._bootstrap)
        if watches:
            function.add_environment("KAFKA_REPORTS_LAG", "true" if self._reports_lag else "false")

    def consume(
        self, scope: Construct, sources: Sequence[EventSource], functions: Mapping[str, lambda_.Function]
    ) -> None:
        PublishedConsumers(scope, "KafkaConsumers", stage=self._stage, sources=sources, functions=functions)


class PointerLayer:
    """One layer with a ``.pth`` file that points at the built folders on this machine.

    The files themselves would be unzipped for each worker of the emulator: two seconds a cold start.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def layers(self, scope: Construct) -> Sequence[lambda_.ILayerVersion]:
        return [lambda_.LayerVersion(scope, "PointerLayer", code=lambda_.Code.from_asset(self._path))]


def local_foundation(stage: Stage, context: LocalContext) -> Foundation:
    return Foundation(
        network=LocalNetwork(),
        data=LocalData(context.postgres, context.redis_url),
        streaming=LocalStreaming(stage, context.kafka_bootstrap, reports_lag=context.kafka_reports_lag == "true"),
        packaging=PointerLayer(context.layer_path),
        providers=context.providers,
        console=context.console,
    )
