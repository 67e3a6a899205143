"""The bridge between a real broker and functions in the emulator."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from local import artefacts, kafka_broker, ministack, processes
from local.choices import KafkaKind, chosen_kafka
from local.environment import BLANKED, clean_environment
from local.ports import LOOPBACK, free_ports
from local.processes import Home
from local.stack import CONSUMERS_PARAMETER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOPIC, FAILURES = "t", "f"
FUNCTION = "nofy-local-echo"
# Writes a line per record it took; raises on a record that says so, or reports it and stops there.
CODE = """
import base64, json, os
import nofy, psycopg2

def handler(event, context):
    failures = []
    with open(os.environ["SEEN"], "a") as log:
        for key, records in event["records"].items():
            for record in records:
                value = json.loads(base64.b64decode(record["value"]))
                if value.get("then") == "raise":
                    raise ValueError("poison")
                if value.get("then") == "report":
                    failures.append({"itemIdentifier": {"partition": key, "offset": record["offset"]}})
                    break
                print(json.dumps(value), file=log)
    return {"batchItemFailures": failures}
"""


class World:
    """A broker, an emulator with one function, and a bridge between them."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.kind = chosen_kafka(os.environ)
        port, self.controller, aws = free_ports(3)
        self.bootstrap = f"{LOOPBACK}:{port}"
        self.port, self.aws_port = port, aws
        self.endpoint = f"http://{LOOPBACK}:{aws}"
        self.seen_file = home.root / "seen"

    def start(self) -> None:
        broker = kafka_broker.start(self.home, self.kind, self.port, self.controller)
        self.start_emulator()
        kafka_broker.finish(self.home, self.bootstrap, broker)
        kafka_broker.create_topics(self.bootstrap, [NewTopic(TOPIC, 2, 1), NewTopic(FAILURES, 1, 1)])
        self.start_bridge()

    def start_emulator(self) -> None:
        ministack.finish(self.home, self.endpoint, ministack.start(self.home, self.aws_port))
        source = {"topic": TOPIC, "group": "g", "batch_size": 100, "window_ms": 0, "function": FUNCTION}
        source |= {"partitions": 2, "on_failure": FAILURES, "retry_attempts": 1}
        parameter = json.dumps([source])
        self.client("ssm").put_parameter(Name=CONSUMERS_PARAMETER, Value=parameter, Type="String")
        self.create_function()

    def create_function(self) -> None:
        layer = {
            str(path.relative_to(artefacts.LOCAL_LAYER)): path.read_text()
            for path in artefacts.LOCAL_LAYER.rglob("*.pth")
        }
        client = self.client("lambda")
        published = client.publish_layer_version(LayerName="local", Content={"ZipFile": zipped(layer)})
        client.create_function(
            FunctionName=FUNCTION,
            Runtime="python3.14",
            Role="arn:aws:iam::000000000000:role/any",
            Handler="handler.handler",
            Code={"ZipFile": zipped({"handler.py": CODE})},
            Layers=[published["LayerVersionArn"]],
            Environment={"Variables": {"SEEN": str(self.seen_file)}},
            Timeout=30,
        )

    def start_bridge(self) -> None:
        ready = self.home.run / "bridge.ready"
        addresses = ("--kafka", self.bootstrap, "--aws", self.endpoint, "--ready-file", str(ready))
        command = [artefacts.PYTHON, "-m", "local.bridge", *addresses, "--fetch-wait-ms", "100"]
        env = {**clean_environment(), "PYTHONPATH": str(artefacts.ROOT)}
        bridge = processes.start(self.home, "bridge", command, env)
        processes.wait_until(ready.exists, self.home, bridge, 60)

    def client(self, service: str) -> Any:
        session = boto3.Session("test", "test", region_name=BLANKED["AWS_REGION"])
        return session.client(service, endpoint_url=self.endpoint)

    def produce(self, *values: dict[str, Any], partition: int = 0) -> None:
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, acks="all", linger_ms=50)
        sent = [
            producer.send(TOPIC, key=b"k", value=json.dumps(value).encode(), partition=partition) for value in values
        ]
        for future in sent:
            future.get(timeout=20)
        producer.close()

    def seen(self) -> list[Any]:
        lines = self.seen_file.read_text().splitlines() if self.seen_file.exists() else []
        return [json.loads(line)["n"] for line in lines]

    def committed(self, partition: int = 0) -> int | None:
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, group_id="g", enable_auto_commit=False)
        try:
            return consumer.committed(TopicPartition(TOPIC, partition))
        finally:
            consumer.close()

    def failures(self) -> list[Any]:
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        try:
            consumer.assign([TopicPartition(FAILURES, 0)])
            polled = consumer.poll(timeout_ms=5000)
            return [json.loads(record.value) for batch in polled.values() for record in batch]
        finally:
            consumer.close()


def zipped(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.05)


@pytest.fixture
def world(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    world = World(Home(tmp_path / "world"))
    try:
        world.start()
        yield world
    finally:
        processes.stop(world.home)


def test_records_reach_the_function_once_and_poison_ends_in_the_failure_topic(world: World):
    world.produce({"n": 0}, {"n": 1, "then": "raise"}, {"n": 2})
    world.produce({"n": 10}, {"n": 11, "then": "report"}, {"n": 12}, partition=1)
    until(lambda: world.committed(0) == 3 and world.committed(1) == 3)
    assert set(world.seen()) == {0, 2, 10, 12}
    assert world.seen().count(10) == 1
    failed = [
        record for one in world.failures() for records in one["payload"]["records"].values() for record in records
    ]
    assert {(record["partition"], record["offset"]) for record in failed} == {(0, 1), (1, 1)}


def test_records_wait_for_an_emulator_that_went_away(world: World):
    world.produce({"n": 0})
    until(lambda: world.committed() == 1)
    processes.stop(world.home, "ministack")
    world.produce({"n": 1})
    time.sleep(0.5)
    world.start_emulator()
    until(lambda: world.seen() == [0, 1])
    assert world.failures() == []


def test_the_bridge_goes_on_where_it_was_when_the_broker_comes_back(world: World):
    if world.kind is KafkaKind.TANSU:
        pytest.skip("Tansu forgets everything when it ends")
    world.produce({"n": 0})
    until(lambda: world.committed() == 1)
    processes.stop(world.home, "kafka")
    kafka_broker.finish(world.home, world.bootstrap, kafka_broker.run(world.home))
    world.produce({"n": 1})
    until(lambda: world.seen() == [0, 1])


def test_a_bridge_that_was_killed_loses_nothing(world: World):
    world.produce({"n": 0})
    until(lambda: world.committed() == 1)
    (record,) = (one for one in processes.records(world.home) if one.name == "bridge")
    os.kill(record.pid, 9)
    world.produce({"n": 1})
    (world.home.run / "bridge.ready").unlink()
    world.start_bridge()
    until(lambda: world.seen() == [0, 1])
