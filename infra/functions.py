"""Every function of the stage: what it needs, and nothing it does not need.

A function's environment, its permissions and its place in the network are all derived from its line here, so
none of the three can drift from the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nofy.domain import routing, timing

DELIVERY_TOPICS = tuple(lane.topic for lane in routing.LANES)


class PostgresRole(StrEnum):
    """The database roles: ``admin`` alone changes the schema, ``api`` and ``console`` are held to one project."""

    API = "api"
    CONSOLE = "console"
    PIPELINE = "pipeline"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """One Lambda function. ``timeout`` in seconds, ``memory`` in MB (a full vCPU comes at 1,769 MB).

    ``watches`` are the lanes whose consumers it looks at: how far they have read, and how far there is to read.
    """

    name: str
    folder: str
    timeout: int
    memory: int = 512
    postgres: PostgresRole | None = None
    redis: bool = False
    produces: tuple[str, ...] = ()
    watches: tuple[routing.Lane, ...] = ()

    @property
    def reaches_data(self) -> bool:
        """Runs inside the network, where the data is; everything else runs outside, where the internet is."""
        return self.postgres is not None or self.redis or bool(self.produces)

    @property
    def construct_id(self) -> str:
        return "".join(part.title() for part in self.name.split("-"))

    def physical_name(self, stage: str) -> str:
        return f"nofy-{stage}-{self.name}"


def sender_name(provider: routing.Provider) -> str:
    return f"sender-{provider}"


PRODUCER = FunctionSpec(
    name="producer",
    folder="producer",
    timeout=29,  # API Gateway gives up after 29 s
    postgres=PostgresRole.API,
    redis=True,
)
DISPATCHER = FunctionSpec(
    name="dispatcher",
    folder="dispatcher",
    timeout=timing.DISPATCHER_TIMEOUT,
    postgres=PostgresRole.PIPELINE,
    redis=True,
    produces=DELIVERY_TOPICS,
    watches=routing.LANES,
)
CONSUMER = FunctionSpec(
    name="consumer",
    folder="consumer",
    timeout=timing.CONSUMER_TIMEOUT,
    postgres=PostgresRole.PIPELINE,
    redis=True,
    produces=(routing.ACKS_TOPIC, routing.DLQ_TOPIC),
)
ACKS = FunctionSpec(name="acks", folder="acks", timeout=60, postgres=PostgresRole.PIPELINE, redis=True)
DLQ = FunctionSpec(name="dlq", folder="dlq", timeout=60, memory=256, postgres=PostgresRole.PIPELINE)
RECONCILER = FunctionSpec(
    name="reconciler",
    folder="reconciler",
    timeout=120,
    postgres=PostgresRole.PIPELINE,
    redis=True,
    produces=(routing.ACKS_TOPIC,),
    watches=routing.LANES,
)
CONSOLE = FunctionSpec(
    name="console",
    folder="console",
    timeout=29,  # API Gateway gives up after 29 s
    postgres=PostgresRole.CONSOLE,
    redis=True,
)
# Outside the network: they ask a sign-in service, a provider, or AWS itself, and nobody's data.
SESSION = FunctionSpec(name="session", folder="session", timeout=25)
VAULT = FunctionSpec(name="vault", folder="vault", timeout=timing.VAULT_FUNCTION_TIMEOUT)
KEYS = FunctionSpec(name="keys", folder="keys", timeout=60, memory=256)
MIGRATE = FunctionSpec(name="migrate", folder="migrate", timeout=300, memory=256, postgres=PostgresRole.ADMIN)
OPERATOR = FunctionSpec(name="operator", folder="operator", timeout=30, memory=256, postgres=PostgresRole.OPERATOR)

SENDERS: dict[routing.Provider, FunctionSpec] = {
    provider: FunctionSpec(name=sender_name(provider), folder=f"senders/{provider}", timeout=timing.SENDER_TIMEOUT)
    for provider in routing.Provider
}

FUNCTIONS: tuple[FunctionSpec, ...] = (
    PRODUCER,
    CONSOLE,
    SESSION,
    VAULT,
    KEYS,
    DISPATCHER,
    CONSUMER,
    *SENDERS.values(),
    ACKS,
    DLQ,
    RECONCILER,
    MIGRATE,
    OPERATOR,
)
