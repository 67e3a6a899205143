"""The one description of a stack on this machine: what runs, where, and under which names.

Everything that starts, deploys, seeds, shows or ends a stack reads this; so does whatever wants to bring up the
same parts in another way (containers). It is made from the environment once, by ``make up``, and kept beside
the stack in ``description.json`` (readable by its owner only: it has the passwords).
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import artefacts, postgres, redis_server
from local.choices import KafkaKind, chosen_kafka
from local.ports import LOOPBACK, Ports, ports_from, variable
from local.postgres import Postgres
from local.processes import Home

if TYPE_CHECKING:
    from collections.abc import Mapping

STAGE = "local"
APPLICATION_STACK = f"nofy-{STAGE}-application"
SIMULATED_PROJECT = "nofy-local"  # the simulated AppWrite's only one
CONSUMERS_PARAMETER = f"/nofy/{STAGE}/kafka-consumers"


class SettingsError(ValueError):
    """A variable of the environment does not fit; the message names it."""


@dataclass(frozen=True)
class Passwords:
    """One per database role, made anew for every stack."""

    admin: str
    api: str
    console: str
    pipeline: str
    operator: str

    @classmethod
    def generated(cls) -> Passwords:
        return cls(*(secrets.token_urlsafe(18) for _ in fields(cls)))


@dataclass(frozen=True)
class ProviderUrls:
    """Where the senders find their providers: at the simulators, or where the environment points."""

    slack: str
    brevo: str
    whatsapp: str

    @classmethod
    def chosen(cls, environ: Mapping[str, str], inbox_url: str) -> ProviderUrls:
        simulated = {
            "slack": f"{inbox_url}/slack/api",
            "brevo": f"{inbox_url}/brevo/v3",
            "whatsapp": f"{inbox_url}/whatsapp/v25.0",
        }
        return cls(**{name: environ.get(f"{name.upper()}_API_URL") or url for name, url in simulated.items()})


@dataclass(frozen=True)
class SignIn:
    """The AppWrite server that knows who people are: the simulator, or where the environment points."""

    endpoint: str
    project: str

    @classmethod
    def chosen(cls, environ: Mapping[str, str], inbox_url: str) -> SignIn:
        return cls(
            environ.get("APPWRITE_ENDPOINT") or f"{inbox_url}/appwrite/v1",
            environ.get("APPWRITE_PROJECT") or SIMULATED_PROJECT,
        )


@dataclass(frozen=True)
class Hosts:
    """Where each part is found: here, or under the name that a network of containers gives it."""

    postgres: str = LOOPBACK
    redis: str = LOOPBACK
    aws: str = LOOPBACK
    inbox: str = LOOPBACK
    dashboard: str = LOOPBACK


# What of the environment decides about a stack: a running one is only deployed again under the same.
DECIDING_VARIABLES = (
    *(variable(field.name) for field in fields(Ports)),
    *("KAFKA", "KAFKA_BOOTSTRAP"),
    *(f"{field.name.upper()}_API_URL" for field in fields(ProviderUrls)),
    *(f"APPWRITE_{field.name.upper()}" for field in fields(SignIn)),
)


def asked_of(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in DECIDING_VARIABLES if environ.get(name)}


@dataclass(frozen=True)
class Stack:
    """A stack's directory, ports, addresses and passwords."""

    directory: Path
    asked: dict[str, str]
    ports: Ports
    kafka: KafkaKind
    kafka_bootstrap: str
    providers: ProviderUrls
    sign_in: SignIn
    passwords: Passwords
    hosts: Hosts = field(default_factory=Hosts)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Stack:
        ports = ports_from(environ)
        kafka = chosen_kafka(environ)
        return cls(
            directory=directory(environ),
            asked=asked_of(environ),
            ports=ports,
            kafka=kafka,
            kafka_bootstrap=_bootstrap(kafka, ports, environ),
            providers=ProviderUrls.chosen(environ, f"http://{LOOPBACK}:{ports.inbox}"),
            sign_in=SignIn.chosen(environ, f"http://{LOOPBACK}:{ports.inbox}"),
            passwords=Passwords.generated(),
        )

    @classmethod
    def load(cls, directory: Path) -> Stack | None:
        """The stack that was brought up in a directory, or None where none was (or its making was cut short)."""
        try:
            saved = json.loads((directory / "description.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return cls(
            directory=directory,
            asked=saved["asked"],
            ports=Ports(**saved["ports"]),
            kafka=KafkaKind(saved["kafka"]),
            kafka_bootstrap=saved["kafka_bootstrap"],
            providers=ProviderUrls(**saved["providers"]),
            sign_in=SignIn(**saved["sign_in"]),
            passwords=Passwords(**saved["passwords"]),
        )

    def save(self) -> None:
        write_private(self.directory / "description.json", {**asdict(self), "directory": str(self.directory)})

    @property
    def home(self) -> Home:
        return Home(self.directory)

    @property
    def postgres(self) -> Postgres:
        return Postgres(self.ports.postgres, self.passwords.admin, self.hosts.postgres)

    @property
    def postgres_dsns(self) -> dict[str, str]:
        """By the short name of the role, as the CDK app asks for them."""
        return {
            "api_dsn": self.postgres.dsn("nofy_api", self.passwords.api),
            "console_dsn": self.postgres.dsn("nofy_console", self.passwords.console),
            "pipeline_dsn": self.postgres.dsn("nofy_pipeline", self.passwords.pipeline),
            "operator_dsn": self.postgres.dsn("nofy_operator", self.passwords.operator),
            "admin_dsn": self.postgres.dsn(postgres.ADMIN),
        }

    @property
    def function_passwords(self) -> dict[str, str]:
        """Of the roles that the migrations make and the functions sign in with."""
        own = self.passwords
        names = ("api", "console", "pipeline", "operator")
        return {f"nofy_{name}": getattr(own, name) for name in names}

    @property
    def redis_url(self) -> str:
        return redis_server.url(self.ports.redis, self.hosts.redis)

    @property
    def aws_endpoint_url(self) -> str:
        return f"http://{self.hosts.aws}:{self.ports.aws}"

    @property
    def inbox_url(self) -> str:
        return f"http://{self.hosts.inbox}:{self.ports.inbox}"

    @property
    def dashboard_url(self) -> str:
        return f"http://{self.hosts.dashboard}:{self.ports.dashboard}"

    @property
    def kafka_reports_lag(self) -> bool:
        """Tansu's end offsets are wrong, so a lag computed from them would stop the dispatcher for no reason."""
        return self.kafka is not KafkaKind.TANSU

    @property
    def parts(self) -> frozenset[str]:
        """Names of the ports that this stack listens on itself."""
        kafka = {
            KafkaKind.APACHE: {"kafka", "kafka_controller"},
            KafkaKind.TANSU: {"kafka"},
            KafkaKind.EXTERNAL: set[str](),
        }
        return frozenset({"postgres", "redis", "aws", "inbox", "dashboard"} | kafka[self.kafka])

    @property
    def context(self) -> dict[str, Any]:
        """What the CDK app is told in stage ``local`` (``infra.settings.LocalContext``)."""
        return {
            "postgres": self.postgres_dsns,
            "redis_url": self.redis_url,
            "kafka_bootstrap": self.kafka_bootstrap,
            "kafka_reports_lag": "true" if self.kafka_reports_lag else "false",
            **{f"{name}_api_url": url for name, url in asdict(self.providers).items()},
            **{f"appwrite_{name}": value for name, value in asdict(self.sign_in).items()},
            "console_url": self.dashboard_url,
            "layer_path": str(artefacts.LOCAL_LAYER),
        }


def directory(environ: Mapping[str, str]) -> Path:
    """``NOFY_LOCAL_DIR``, so that a second stack can run beside the first; ``.local`` without it."""
    return Path(environ.get("NOFY_LOCAL_DIR") or artefacts.ROOT / ".local").resolve()


def write_private(path: Path, content: object) -> None:
    """JSON that only its owner may read, from its first byte on, and that nobody ever reads half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    half.replace(path)


def _bootstrap(kafka: KafkaKind, ports: Ports, environ: Mapping[str, str]) -> str:
    if kafka is not KafkaKind.EXTERNAL:
        return f"{LOOPBACK}:{ports.kafka}"
    bootstrap = environ.get("KAFKA_BOOTSTRAP", "")
    if not bootstrap:
        raise SettingsError("KAFKA=external needs KAFKA_BOOTSTRAP=host:port of the broker to use")
    return bootstrap
