"""``python -m local.compose VERB``: one verb a service of ``docker-compose.localstack.yml``.

prepare, deploy and ready end; aws, simulators, bridge and dashboard run until stopped; describe and logs are for
people:

    docker compose -f docker-compose.localstack.yml run --rm --no-deps deploy describe
    docker compose -f docker-compose.localstack.yml run --rm --no-deps deploy logs consumer
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from local import artefacts, bridge_process, logs, ministack
from local.choices import KafkaKind
from local.compose import description
from local.compose.deployment import deploy, wait_until_it_delivers
from local.compose.ticks import start_ticking
from local.progress import Progress
from local.terminal import told

EVERYBODY = "0.0.0.0"  # in the container's own network; the published ports are on the loopback address
BRIDGE_READY = Path("/tmp/bridge.ready")  # noqa: S108  # the container's own, which the health check looks for
INBOX = Path("/var/lib/nofy/inbox")


def prepare() -> int:
    description.make_passwords()
    return 0


def aws() -> int:
    environment = ministack.environment(Path("/var/lib/nofy/aws"), description.PORTS.aws, EVERYBODY)
    os.execve(ministack.PROGRAM, [str(ministack.PROGRAM)], environment)  # noqa: S606


def simulators() -> int:
    address = ("--host", EVERYBODY, "--port", str(description.PORTS.inbox))
    program = (str(artefacts.PYTHON), "-m", "local.simulators", *address, "--state-dir", str(INBOX))
    os.execv(artefacts.PYTHON, program)  # noqa: S606


def bridge() -> int:
    from local.bridge.__main__ import main

    stack = description.inside(os.environ)
    if description.on_localstack(os.environ):
        start_ticking(stack.aws_endpoint_url)
    BRIDGE_READY.unlink(missing_ok=True)
    addresses = ("--kafka", stack.kafka_bootstrap, "--aws", stack.aws_endpoint_url)
    wait = str(bridge_process.FETCH_WAIT_MS[KafkaKind.APACHE])
    return main([*addresses, "--fetch-wait-ms", wait, "--ready-file", str(BRIDGE_READY)])


def dashboard() -> int:
    """The API by the emulator's name in here, AppWrite by the address that the browser will ask."""
    inside, outside = description.inside(os.environ), description.outside(os.environ)
    made = json.loads(description.STACK_FILE.read_text())
    api_url = made["api_url"].replace(made["aws_endpoint_url"], inside.aws_endpoint_url)
    options = {
        "--host": EVERYBODY,
        "--port": str(description.PORTS.dashboard),
        "--files": str(artefacts.DASHBOARD),
        "--api": api_url,
        "--appwrite-endpoint": outside.sign_in.endpoint,
        "--appwrite-project": outside.sign_in.project,
    }
    arguments = [each for option in options.items() for each in option]
    os.execv(artefacts.PYTHON, (str(artefacts.PYTHON), "-m", "local.dashboard", *arguments))  # noqa: S606


def deploy_all() -> int:
    deploy(dict(os.environ), Progress())
    return 0


def ready() -> int:
    wait_until_it_delivers(dict(os.environ), Progress())
    return 0


def describe() -> int:
    print(description.STACK_FILE.read_text(), end="")
    return 0


def show_logs(name: str | None = None) -> int:
    print(logs.show(description.inside(os.environ), name))
    return 0


VERBS = {
    "prepare": prepare,
    "aws": aws,
    "simulators": simulators,
    "bridge": bridge,
    "dashboard": dashboard,
    "deploy": deploy_all,
    "ready": ready,
    "describe": describe,
}


def main(arguments: list[str]) -> int:
    match arguments:
        case ["logs", *name] if len(name) <= 1:
            return told(lambda: show_logs(*name))
        case [verb] if verb in VERBS:
            return told(VERBS[verb])
        case _:
            print(f"one of {', '.join([*VERBS, 'logs [NAME]'])}", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
