"""What the application stands on, as it sees it: a network, the data, the streams, and its code's layers.

In the cloud these are stacks; on one machine they are servers that already run (``stacks/endpoints.py``). The
application stack is the same code over both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from infra.functions import FunctionSpec, PostgresRole
    from infra.settings import ConsoleSettings, ProviderSettings
    from infra.topology import EventSource
    from nofy.domain.routing import Lane


class Network(Protocol):
    """Where functions run."""

    def place(self, spec: FunctionSpec, role: iam.Role) -> Mapping[str, Any]:
        """The arguments of ``lambda.Function`` that put it where it reaches what it needs, and no more.

        The role gets what it takes to run there.
        """


class Data(Protocol):
    """PostgreSQL and Redis: an address in the environment and the right to use it come together."""

    def connect_postgres(self, function: lambda_.Function, role: PostgresRole) -> None: ...

    def connect_redis(self, function: lambda_.Function) -> None: ...


class Streaming(Protocol):
    """Kafka, for functions that write to it and for those it calls."""

    def connect(self, function: lambda_.Function, produces: Sequence[str], watches: Sequence[Lane]) -> None:
        """Lets a function write to topics, and see how far the consumers of lanes have read."""

    def consume(
        self, scope: Construct, sources: Sequence[EventSource], functions: Mapping[str, lambda_.Function]
    ) -> None:
        """Has each source's topic read and its function called with what is in it."""


class Packaging(Protocol):
    """How the package and its dependencies get beside a function's code."""

    def layers(self, scope: Construct) -> Sequence[lambda_.ILayerVersion]: ...


@dataclass(frozen=True, slots=True)
class Foundation:
    """All of it, for one stage."""

    network: Network
    data: Data
    streaming: Streaming
    packaging: Packaging
    providers: ProviderSettings
    console: ConsoleSettings
