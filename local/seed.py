"""The first project of a new stack: a token, and an integration per channel with the simulators' credentials.

Made by what is behind the operator's command line (``nofy-operator``), as a person would on AWS: what it seals and
stores is the real thing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from local.sessions import emulated
from local.simulators import credentials
from local.stack import STAGE, Stack
from nofy.domain.routing import Channel
from nofy.domain.tokens import Mode
from nofy.runtime.operator import Operator


@dataclass(frozen=True)
class Seed:
    """What a client needs to send: shown once, kept in ``stack.json``."""

    project_id: str
    api_token: str


@dataclass(frozen=True)
class Integration:
    """A channel's settings, and the credential that its simulator accepts."""

    name: str
    channel: Channel
    settings: dict[str, Any]
    credential: str


# The simulator knows no ceiling for a whole workspace, and nobody wants to wait for one that is not there.
SIMULATED_WORKSPACE = {"integration": {"per_second": 1000, "burst": 1000}}
INTEGRATIONS = (
    Integration(
        "Demo workspace", Channel.SLACK, {"kind": "bot", "limits": SIMULATED_WORKSPACE}, credentials.SLACK_BOT_TOKEN
    ),
    Integration(
        "Demo mail",
        Channel.EMAIL,
        {"sender": {"email": "hello@demo.example", "name": "Demo"}},
        credentials.BREVO_API_KEY,
    ),
    Integration(
        "Demo number",
        Channel.WHATSAPP,
        {"phone_number_id": credentials.WHATSAPP_PHONE_NUMBER_ID},
        credentials.WHATSAPP_TOKEN,
    ),
)


def seed(kept: Seed | None = None) -> Seed:
    """One after another: the function behind it is warm after the first, and a second worker would not be.

    Rows may outlive the emulator, and the key in it that sealed the credentials: a project that was kept gets its
    integrations again.
    """
    operator = Operator(STAGE, emulated())
    made = kept or _project(operator)
    for one in INTEGRATIONS:
        operator.set_integration(made.project_id, one.channel, json.dumps(one.settings), one.credential, one.name)
    return made


def _project(operator: Operator) -> Seed:
    project = operator.create_project("Demo")["project_id"]
    return Seed(project, operator.create_token(project, Mode.LIVE)["token"])


def stack_file(stack: Stack, api_url: str, made: Seed) -> dict[str, str]:
    """What clients, the demo and the tests read about the stack."""
    return {
        "api_url": api_url,
        **asdict(made),
        "inbox_url": stack.inbox_url,
        "dashboard_url": stack.dashboard_url,
        "appwrite_url": stack.sign_in.endpoint,
        "appwrite_project": stack.sign_in.project,
        **{f"{name}_api_url": url for name, url in asdict(stack.providers).items()},
        "postgres_dsn": stack.postgres.dsn(),
        "redis_url": stack.redis_url,
        "kafka_bootstrap": stack.kafka_bootstrap,
        "aws_endpoint_url": stack.aws_endpoint_url,
    }
