"""What stage ``local`` is told about the servers that run on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.parsing import parse
from infra.settings import ROOT, AppwriteSettings, ConsoleSettings, ProviderSettings

if TYPE_CHECKING:
    from constructs import Node


@dataclass(frozen=True, slots=True)
class PostgresDsns:
    """One connection string per database role."""

    api_dsn: str
    console_dsn: str
    pipeline_dsn: str
    operator_dsn: str
    admin_dsn: str


@dataclass(frozen=True, slots=True)
class LocalContext:
    """Ports and paths of the stack on this machine; the file is written before each local deploy."""

    postgres: PostgresDsns
    redis_url: str
    kafka_bootstrap: str
    kafka_reports_lag: str
    slack_api_url: str
    brevo_api_url: str
    whatsapp_api_url: str
    appwrite_endpoint: str
    appwrite_project: str
    console_url: str
    layer_path: str

    @property
    def console(self) -> ConsoleSettings:
        appwrite = AppwriteSettings(self.appwrite_endpoint, self.appwrite_project)
        return ConsoleSettings(appwrite, None, self.console_url, self.console_url)

    @property
    def providers(self) -> ProviderSettings:
        return ProviderSettings(self.slack_api_url, self.brevo_api_url, self.whatsapp_api_url)


# Lets ``make synth`` and the tests synthesise stage local on a machine where no local stack runs.
UNDEPLOYABLE_CONTEXT = LocalContext(
    postgres=PostgresDsns(
        *(f"postgresql://{role}@postgres.invalid/nofy" for role in ("api", "console", "pipeline", "operator", "admin"))
    ),
    redis_url="redis://redis.invalid:6379/0",
    kafka_bootstrap="kafka.invalid:9092",
    kafka_reports_lag="true",
    slack_api_url="http://slack.invalid/api",
    brevo_api_url="http://brevo.invalid/v3",
    whatsapp_api_url="http://whatsapp.invalid/v25.0",
    appwrite_endpoint="http://appwrite.invalid/v1",
    appwrite_project="nofy-local",
    console_url="http://console.invalid",
    layer_path=str(ROOT / "layers" / "nofy"),
)


def read_local_context(node: Node) -> LocalContext:
    """The file named by ``-c localContext=<path>``, or placeholders that synthesise but do not run."""
    path = node.try_get_context("localContext")
    if path is None:
        return UNDEPLOYABLE_CONTEXT
    return parse(LocalContext, json.loads(Path(path).read_text(encoding="utf-8")), "localContext")
