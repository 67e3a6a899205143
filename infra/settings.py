"""What differs between stages, read from the one ``nofy`` object in ``cdk.json``.

Nothing is read from the environment: the same commit synthesises the same templates everywhere. A value that
is missing, unknown, of the wrong type or out of range stops the synth with its path (``nofy.dev.api.burst``).
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from infra.functions import FUNCTIONS
from infra.parsing import SettingsError, one_of, parse, within

if TYPE_CHECKING:
    from constructs import Node

ROOT = Path(__file__).resolve().parent.parent

# https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
MAX_BATCH_SIZE = 10_000
MAX_BATCH_WINDOW = 300

# Members of aws_cdk.aws_logs.RetentionDays, named here so that settings can be read without the CDK.
LOG_RETENTIONS = ("ONE_DAY", "ONE_WEEK", "ONE_MONTH", "THREE_MONTHS", "SIX_MONTHS", "ONE_YEAR")


class Stage(StrEnum):
    """Where the stacks are deployed to."""

    LOCAL = "local"
    DEV = "dev"
    PROD = "prod"


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Limits of the whole API, above the ones each token has."""

    requests_per_second: int
    burst: int


@dataclass(frozen=True, slots=True)
class Batch:
    """An event source invokes when it has ``size`` records or ``window_seconds`` have gone by."""

    size: int
    window_seconds: int

    def __post_init__(self) -> None:
        within("size", self.size, 1, MAX_BATCH_SIZE)
        within("window_seconds", self.window_seconds, 0, MAX_BATCH_WINDOW)


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """A batch per kind of topic. A lane's priority decides how long a delivery waits for its neighbours."""

    high: Batch
    normal: Batch
    low: Batch
    acks: Batch
    dead_letters: Batch


@dataclass(frozen=True, slots=True)
class PartitionSettings:
    """Partitions per topic: as many consumers can run for a lane at once."""

    deliveries: int
    acks: int
    dead_letters: int

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            within(field.name, getattr(self, field.name), 1, 100)


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Where each provider's API is. The field of a provider is its name and ``_api_url``."""

    slack_api_url: str
    brevo_api_url: str
    whatsapp_api_url: str


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """``endpoint_zones``: each interface endpoint costs $7.30 a month in each zone it is in.

    ``fixed_egress`` puts the senders behind one NAT gateway and Elastic IP, for providers that want to know the
    address (Brevo blocks unknown ones by default).
    """

    cidr: str
    zones: int
    endpoint_zones: int
    fixed_egress: bool

    def __post_init__(self) -> None:
        within("zones", self.zones, 2, 3)
        within("endpoint_zones", self.endpoint_zones, 1, self.zones)


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """``max_connections`` is what RDS derives from the instance's memory: bytes / 9531392, at most 5000."""

    instance_type: str
    storage_gb: int
    max_storage_gb: int
    max_connections: int
    multi_az: bool
    proxy: bool
    backup_days: int

    def __post_init__(self) -> None:
        within("storage_gb", self.storage_gb, 20, 65_536)
        within("max_storage_gb", self.max_storage_gb, self.storage_gb, 65_536)
        within("backup_days", self.backup_days, 1, 35)


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """``node_type`` makes a replication group of that many ``nodes``; without it the cache is serverless."""

    max_storage_gb: int
    nodes: int
    node_type: str | None


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """``min_insync``: how many of ``replication`` copies must have a record before it counts as written."""

    version: str
    instance_type: str
    brokers: int
    storage_gb: int
    replication: int
    min_insync: int
    pollers: PollerSettings | None

    def __post_init__(self) -> None:
        if not self.version.endswith(".kraft"):
            raise SettingsError(f"version: {self.version!r} is not a KRaft version (3.9.x.kraft, 4.1.x.kraft)")
        within("replication", self.replication, 1, self.brokers)
        within("min_insync", self.min_insync, 1, self.replication)


@dataclass(frozen=True, slots=True)
class PollerSettings:
    """Provisioned pollers per event source; without them Lambda polls on demand, free and slower to grow."""

    minimum: int
    maximum: int

    def __post_init__(self) -> None:
        within("maximum", self.maximum, 1, 2000)
        within("minimum", self.minimum, 1, min(self.maximum, 200))


@dataclass(frozen=True, slots=True)
class DomainSettings:
    """The distribution's own name. The certificate must be in us-east-1."""

    name: str
    certificate_arn: str


@dataclass(frozen=True, slots=True)
class AppwriteSettings:
    """The AppWrite server that vouches for people (``https://<region>.cloud.appwrite.io/v1``), and its project.

    ``oauth`` (separated by commas: ``github,google``) are the providers that the dashboard offers; AppWrite knows them.
    """

    endpoint: str
    project: str
    oauth: str | None = None


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Any OIDC issuer instead: a Cognito user pool, for one. ``audience`` is the client's id there."""

    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """How people get in. Without either sign-in there are API tokens alone, made by the operator's command.

    ``url`` is where the dashboard is: invitations link to it, and are not sent by e-mail without it. ``cors_origins``
    (separated by commas) are other origins whose pages may call the API.
    """

    appwrite: AppwriteSettings | None
    oidc: OidcSettings | None
    url: str | None
    cors_origins: str | None


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """What only a real account has."""

    firewall: bool
    network: NetworkSettings
    postgres: PostgresSettings
    cache: CacheSettings
    kafka: KafkaSettings
    providers: ProviderSettings
    console: ConsoleSettings
    domain: DomainSettings | None
    alarm_email: str | None

    def __post_init__(self) -> None:
        if self.kafka.brokers % self.network.zones:
            raise SettingsError(f"kafka.brokers: {self.kafka.brokers} is not a multiple of network.zones")


@dataclass(frozen=True, slots=True)
class Settings:
    """One stage's settings. Without ``account`` it is the deployer's; ``local`` has no ``cloud``."""

    account: str | None
    region: str
    log_level: str
    log_retention: str
    tracing: bool
    retain_data: bool
    api: ApiSettings
    batches: BatchSettings
    partitions: PartitionSettings
    reserved_concurrency: dict[str, int]
    cloud: CloudSettings | None

    def __post_init__(self) -> None:
        for name in self.reserved_concurrency:
            one_of("reserved_concurrency", name, [spec.name for spec in FUNCTIONS])
        one_of("log_level", self.log_level, ("DEBUG", "INFO", "WARNING", "ERROR"))
        one_of("log_retention", self.log_retention, LOG_RETENTIONS)


def read_stage(node: Node) -> Stage:
    """Context ``stage``, given as ``-c stage=dev``: there is no default, so nobody deploys the wrong one."""
    value = node.try_get_context("stage")
    if value not in list(Stage):
        raise SettingsError(f"stage: {value!r} is not one of {', '.join(Stage)}; pass -c stage=<stage>")
    return Stage(value)


def read_settings(node: Node, stage: Stage) -> Settings:
    return _stage_settings(node.try_get_context("nofy"), stage)


def load_settings(stage: Stage) -> Settings:
    """The same, straight from ``cdk.json``, for who needs a stage's numbers without the CDK."""
    cdk_json = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    return _stage_settings(cdk_json["context"]["nofy"], stage)


def _stage_settings(stages: object, stage: Stage) -> Settings:
    if not isinstance(stages, dict) or stage not in stages:
        raise SettingsError(f"nofy.{stage}: cdk.json has no such object")
    settings = parse(Settings, stages[stage], f"nofy.{stage}")
    if (settings.cloud is None) != (stage is Stage.LOCAL):
        raise SettingsError(f"nofy.{stage}.cloud: belongs to every stage but local")
    return settings
