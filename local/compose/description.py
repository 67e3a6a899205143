"""The same stack, seen from two sides: by the containers, under their services' names, and by this machine."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from local import artefacts
from local.choices import KafkaKind
from local.ports import LOOPBACK, Ports, ports_from
from local.stack import Hosts, Passwords, ProviderUrls, SignIn, Stack, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

# A volume that outlives the containers: passwords, the project and its token, logs of the deploy.
DIRECTORY = artefacts.ROOT / ".local" / "compose"
PASSWORDS = DIRECTORY / "passwords.json"
STACK_FILE = DIRECTORY / "stack.json"
# PostgreSQL's image reads its superuser's password from a file of its own.
SUPERUSER_PASSWORD = DIRECTORY / "postgres-password"

HOSTS = Hosts(postgres="postgres", redis="valkey", aws="aws", inbox="simulators")
KAFKA_HOST = "kafka"
# What the images listen on; this machine sees the ports of ``make up`` instead.
PORTS = Ports(postgres=5432, redis=6379, kafka=9092, kafka_controller=9093, aws=4566, inbox=8025, dashboard=8080)


def make_passwords() -> None:
    """Made once and kept as long as PostgreSQL's data, which knows them."""
    if not PASSWORDS.exists():
        write_private(PASSWORDS, asdict(Passwords.generated()))
    SUPERUSER_PASSWORD.touch(mode=0o600)
    SUPERUSER_PASSWORD.write_text(_passwords().admin)


def inside(environ: Mapping[str, str]) -> Stack:
    """As containers and functions see it."""
    simulators = f"http://{HOSTS.inbox}:{PORTS.inbox}"
    # Nobody in here asks for the dashboard: its address is what links in messages say.
    ports = replace(PORTS, dashboard=ports_from(environ).dashboard)
    return Stack(
        directory=DIRECTORY,
        asked={},
        ports=ports,
        kafka=KafkaKind.EXTERNAL,
        kafka_bootstrap=f"{KAFKA_HOST}:{PORTS.kafka}",
        providers=ProviderUrls.chosen(environ, simulators),
        sign_in=SignIn.chosen(environ, simulators),
        passwords=_passwords(),
        hosts=HOSTS,
    )


def outside(environ: Mapping[str, str]) -> Stack:
    """As programs on this machine see it, through the published ports."""
    ports = ports_from(environ)
    return Stack(
        directory=DIRECTORY,
        asked={},
        ports=ports,
        kafka=KafkaKind.EXTERNAL,
        kafka_bootstrap=f"{LOOPBACK}:{ports.kafka}",
        providers=ProviderUrls.chosen(environ, f"http://{LOOPBACK}:{ports.inbox}"),
        sign_in=SignIn.chosen(environ, f"http://{LOOPBACK}:{ports.inbox}"),
        passwords=_passwords(),
    )


def on_localstack(environ: Mapping[str, str]) -> bool:
    return environ.get("AWS_EMULATOR") == "localstack"


def _passwords() -> Passwords:
    return Passwords(**json.loads(PASSWORDS.read_text()))
