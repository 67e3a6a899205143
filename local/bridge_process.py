"""Starting the Kafka-to-Lambda bridge, and telling whether it reads every partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import artefacts, processes
from local.choices import KafkaKind
from local.environment import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    from local.processes import Home, Record
    from local.stack import Stack

READY_SECONDS = 60.0
# Apache Kafka answers a waiting fetch when a record arrives, so it may wait long; Tansu looks only now and then,
# at times that follow from this (260 ms late at 500, 60 at 100).
FETCH_WAIT_MS = {KafkaKind.APACHE: 500, KafkaKind.TANSU: 100, KafkaKind.EXTERNAL: 500}


def start(stack: Stack) -> Record:
    """It reads its event sources once, at its start: after a deploy it is started anew."""
    home = stack.home
    ready_file(home).unlink(missing_ok=True)
    addresses = ("--kafka", stack.kafka_bootstrap, "--aws", stack.aws_endpoint_url)
    command: list[str | Path] = [
        artefacts.PYTHON,
        "-m",
        "local.bridge",
        *addresses,
        "--ready-file",
        ready_file(home),
    ]
    return processes.start(home, "bridge", command, {**clean_environment(), "PYTHONPATH": str(artefacts.ROOT)})


def finish(home: Home, record: Record) -> None:
    processes.wait_until(lambda: is_ready(home), home, record, READY_SECONDS)


def is_ready(home: Home) -> bool:
    return ready_file(home).exists()


def ready_file(home: Home) -> Path:
    return home.run / "bridge.ready"
