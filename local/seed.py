"""The first project of a new stack: a token, and an integration per channel with the simulators' credentials.

Made through the operator's command line, as a person would on AWS: what it seals and stores is the real thing.
"""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from local import artefacts
from local.environment import aws_environment
from local.simulators import credentials
from local.stack import STAGE, Stack
from nofy.domain.routing import Channel


class SeedError(Exception):
    """The operator's command line refused; the message ends with what it said."""


@dataclass(frozen=True)
class Seed:
    """What a client needs to send: shown once, kept in ``stack.json``."""

    project_id: str
    api_token: str


@dataclass(frozen=True)
class Integration:
    """A channel's settings, and the credential that its simulator accepts."""

    channel: Channel
    settings: dict[str, Any]
    credential: str


INTEGRATIONS = (
    Integration(Channel.SLACK, {"kind": "bot"}, credentials.SLACK_BOT_TOKEN),
    Integration(
        Channel.EMAIL,
        {"sender": {"email": "hello@demo.example", "name": "Demo"}},
        credentials.BREVO_API_KEY,
    ),
    Integration(
        Channel.WHATSAPP,
        {"phone_number_id": credentials.WHATSAPP_PHONE_NUMBER_ID},
        credentials.WHATSAPP_TOKEN,
    ),
)


def seed(stack: Stack) -> Seed:
    """Create the project, then everything in it at once: each call is a Python start and a few invokes."""
    project = _operator(stack, "project", "create", "Demo")["project_id"]
    with ThreadPoolExecutor() as pool:
        token = pool.submit(_operator, stack, "token", "create", project, "--mode", "live")
        for finished in [pool.submit(_integrate, stack, project, one) for one in INTEGRATIONS]:
            finished.result()
        return Seed(project, token.result()["token"])


def _integrate(stack: Stack, project: str, integration: Integration) -> None:
    settings = json.dumps(integration.settings)
    _operator(
        stack,
        *("integration", "set", project, str(integration.channel), "--settings", settings),
        stdin=integration.credential,
    )


def _operator(stack: Stack, *arguments: str, stdin: str = "") -> dict[str, str]:
    """The credential goes by standard input: arguments are for every user of the machine to see."""
    done = subprocess.run(
        [str(artefacts.PYTHON), "-m", "nofy.runtime.operator", "--stage", STAGE, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=artefacts.ROOT,
        env=aws_environment(stack.aws_endpoint_url),
        check=False,
    )
    if done.returncode != 0:
        raise SeedError(f"{' '.join(arguments[:2])} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def stack_file(stack: Stack, api_url: str, made: Seed) -> dict[str, str]:
    """What clients, the demo and the tests read about the stack."""
    return {
        "api_url": api_url,
        **asdict(made),
        "inbox_url": stack.inbox_url,
        **{f"{name}_api_url": url for name, url in asdict(stack.providers).items()},
        "postgres_dsn": stack.postgres.dsn(),
        "redis_url": stack.redis_url,
        "kafka_bootstrap": stack.kafka_bootstrap,
        "aws_endpoint_url": stack.aws_endpoint_url,
    }
