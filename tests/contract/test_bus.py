"""Kafka: the same cases on memory and on a real broker, and what only a broker that dies can show."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic
from kafka.structs import OffsetAndMetadata

from local import kafka_broker
from local.choices import KafkaKind, chosen_kafka
from local.ports import free_ports
from local.processes import Home
from local.processes import stop as stop_processes
from nofy.adapters.kafka import offsets as offsets_module
from nofy.adapters.kafka import producer as producer_module
from nofy.adapters.kafka.offsets import KafkaOffsets, UnreportedOffsets
from nofy.adapters.kafka.producer import KafkaBus
from nofy.domain.errors import BusUnavailableError
from nofy.domain.records import OutboundRecord
from nofy.ports.bus import Bus, Offsets, Placement
from tests.contract.conftest import open_folder
from tests.fakes import ManualClock, MemoryBus, MemoryOffsets

PARTITIONS = 3
LARGEST = 1_000_000  # as the topics of deliveries have it: four times what the producer gathers in one batch
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
# Tansu (where there is no Java, ``local/choices.py``) tells wrong end offsets, for which ``UnreportedOffsets`` is used,
# and knows no ``max.message.bytes``. What needs either is held to memory alone there, to memory and Kafka elsewhere.
as_kafka_does = pytest.mark.parametrize(
    "broker", ["memory"] if chosen_kafka(os.environ) is KafkaKind.TANSU else ["memory", "kafka"], indirect=True
)


@dataclass
class Broker:
    """A bus under test, a topic of its own, and what was put there."""

    bus: Bus
    offsets: Offsets
    topic: str
    values: Callable[[], dict[tuple[int, int], bytes]]  # by partition and offset
    commit: Callable[[str, dict[int, int]], None]

    def publish(self, *values: bytes, key: bytes = b"ada") -> list[Placement | None]:
        return self.bus.publish([OutboundRecord(self.topic, key, each) for each in values])

    def placed(self, *values: bytes, key: bytes = b"ada") -> list[Placement]:
        placements = self.publish(*values, key=key)
        assert None not in placements
        return [each for each in placements if each]


_topics = count(1)


def new_topic(bootstrap: str) -> str:
    topic = f"nofy.contract.{next(_topics)}.v1"
    config = {"max.message.bytes": str(LARGEST)}
    kafka_broker.create_topics(bootstrap, [NewTopic(topic, PARTITIONS, 1, topic_configs=config)])
    return topic


def read(bootstrap: str, topic: str) -> dict[tuple[int, int], bytes]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        where = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(where)
        consumer.seek_to_beginning(*where)
        found: dict[tuple[int, int], bytes] = {}
        silent = 0
        while silent < 2:
            batches = consumer.poll(timeout_ms=150)
            silent = 0 if batches else silent + 1
            found |= {(r.partition, r.offset): r.value for records in batches.values() for r in records}
        return found
    finally:
        consumer.close()


def commit(bootstrap: str, topic: str, group: str, offsets: dict[int, int]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.alter_group_offsets(
            group, {TopicPartition(topic, number): OffsetAndMetadata(at, "", -1) for number, at in offsets.items()}
        )
    finally:
        admin.close()


@pytest.fixture(scope="module")
def kafka_adapters(kafka_bootstrap: str) -> Iterator[tuple[KafkaBus, KafkaOffsets]]:
    bus, offsets = KafkaBus(kafka_bootstrap), KafkaOffsets(kafka_bootstrap)
    _wait_for_the_coordinator(offsets)
    yield bus, offsets
    bus.close()
    offsets.close()


def _wait_for_the_coordinator(offsets: KafkaOffsets) -> None:
    """A new cluster makes the topic that keeps groups' offsets when somebody asks for the first time."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            offsets.committed("nofy-contract", "nofy.contract.v1")
        except BusUnavailableError:
            time.sleep(0.05)
        else:
            return


def on_memory() -> Broker:
    bus = MemoryBus(ManualClock(), partitions=PARTITIONS, largest=LARGEST)
    topic = "nofy.contract.v1"

    def values() -> dict[tuple[int, int], bytes]:
        return {(each.partition, each.offset): each.value for each in bus.records(topic)}

    def committed(group: str, offsets: dict[int, int]) -> None:
        bus.commits[group, topic].update(offsets)

    return Broker(bus, MemoryOffsets(bus), topic, values, committed)


@pytest.fixture(params=["memory", "kafka"])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "memory":
        return on_memory()
    bootstrap = request.getfixturevalue("kafka_bootstrap")
    bus, offsets = request.getfixturevalue("kafka_adapters")
    topic = new_topic(bootstrap)
    return Broker(
        bus,
        offsets,
        topic,
        lambda: read(bootstrap, topic),
        lambda group, at: commit(bootstrap, topic, group, at),
    )


def test_nothing_to_publish(broker: Broker) -> None:
    assert broker.publish() == []


def test_placements_come_in_the_order_of_the_records_and_tell_where_they_lie(broker: Broker) -> None:
    values = [f"number {number}".encode() for number in range(30)]
    records = [OutboundRecord(broker.topic, f"key {n % 7}".encode(), each) for n, each in enumerate(values)]
    placements = broker.bus.publish(records)
    found = broker.values()
    assert [found[each.partition, each.offset] for each in placements if each] == values


def test_one_key_goes_to_one_partition_in_order(broker: Broker) -> None:
    placed = broker.placed(b"1", b"2", b"3") + broker.placed(b"4")
    assert len({each.partition for each in placed}) == 1
    assert [each.offset for each in placed] == [0, 1, 2, 3]


def test_many_keys_are_spread(broker: Broker) -> None:
    found = {broker.placed(b"x", key=f"key {number}".encode())[0].partition for number in range(20)}
    assert found == set(range(PARTITIONS))


def test_a_record_goes_to_the_partition_that_was_chosen_for_it_whatever_its_key(broker: Broker) -> None:
    chosen = [2, 0, 1, 2, 2]
    records = [OutboundRecord(broker.topic, b"ada", b"one", each) for each in chosen]
    assert [each and each.partition for each in broker.bus.publish(records)] == chosen


@as_kafka_does
def test_a_record_the_topic_does_not_take_is_refused_alone_or_with_what_follows_it_in_its_partition(
    broker: Broker,
) -> None:
    large = b"x" * (LARGEST + 1)
    placements = broker.publish(b"before", large, b"after")
    assert placements[0] is not None
    assert placements[1] is None
    if placements[2] is None:  # an idempotent producer numbers its records, and the broker allows no gap
        broker.placed(b"after")
    assert sorted(broker.values().values()) == [b"after", b"before"]


def test_a_record_no_request_can_carry_is_refused_and_its_neighbours_are_placed(broker: Broker) -> None:
    large = b"x" * (producer_module.MAX_REQUEST_BYTES + 1)
    assert [each is not None for each in broker.publish(b"1", large, b"2")] == [True, False, True]
    assert [each is not None for each in broker.publish(b"3")] == [True]


def test_a_group_that_never_committed_has_read_nothing(broker: Broker) -> None:
    assert broker.offsets.committed("nofy-contract", broker.topic) == {}


def test_what_a_group_committed(broker: Broker) -> None:
    broker.placed(b"1", b"2", b"3")
    group = f"group of {broker.topic}"
    broker.commit(group, {0: 2, 2: 1})
    assert broker.offsets.committed(group, broker.topic) == {0: 2, 2: 1}
    assert broker.offsets.committed(group, "another topic") == {}


@as_kafka_does
def test_a_partition_ends_where_its_next_record_will_lie(broker: Broker) -> None:
    assert broker.offsets.ends(broker.topic) == dict.fromkeys(range(PARTITIONS), 0)
    placed = broker.placed(b"1", b"2", b"3", key=b"ada") + broker.placed(b"4", key=b"grace")
    ends = dict.fromkeys(range(PARTITIONS), 0)
    for each in placed:
        ends[each.partition] = each.offset + 1
    assert broker.offsets.ends(broker.topic) == ends


def test_a_broker_that_cannot_be_believed_tells_no_ends() -> None:
    assert UnreportedOffsets().ends("a topic") is None


# A broker that dies


class OneBroker:
    """A broker of its own, which can be killed and begun again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.kind = chosen_kafka(os.environ)
        self.port, self._controller = free_ports(2)
        self.bootstrap = f"127.0.0.1:{self.port}"

    def start(self) -> None:
        record = kafka_broker.start(self.home, self.kind, self.port, self._controller)
        kafka_broker.finish(self.home, self.bootstrap, record)

    def stop(self) -> None:
        """Killed, and its data with it."""
        stop_processes(self.home)
        shutil.rmtree(self.home.data, ignore_errors=True)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """Time-outs of a second or two instead of five and ten; the longest is given."""
    monkeypatch.setattr(producer_module, "REQUEST_TIMEOUT_MS", 1_000)
    monkeypatch.setattr(producer_module, "DELIVERY_TIMEOUT_MS", 2_000)
    monkeypatch.setattr(offsets_module, "REQUEST_TIMEOUT_MS", 1_000)
    # What it logs holds on to connections, and kafka-python leaves the sockets of refused ones to the collector.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    yield 2.0
    logging.getLogger("kafka").setLevel(logging.NOTSET)
    gc.collect()


def offsets_threads() -> int:
    return sum(each.name.startswith("kafka-io") for each in threading.enumerate())


def took(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_a_broker_that_is_not_there_takes_nothing_in_time(impatient: float) -> None:
    bus = KafkaBus("127.0.0.1:1")
    answers: list[Sequence[Placement | None]] = []
    record = OutboundRecord("nofy.contract.v1", b"k", b"v")
    assert took(lambda: answers.append(bus.publish([record, record]))) < impatient + 1
    assert answers == [[None, None]]


def test_offsets_of_a_broker_that_is_not_there_are_unavailable(impatient: float) -> None:
    before = offsets_threads()
    offsets = KafkaOffsets("127.0.0.1:1")
    with pytest.raises(BusUnavailableError):
        offsets.committed("nofy-contract", "nofy.contract.v1")
    with pytest.raises(BusUnavailableError):
        offsets.ends("nofy.contract.v1")
    assert offsets_threads() == before


def test_a_broker_that_dies_takes_nothing_until_it_is_back(impatient: float) -> None:
    with open_folder() as folder:
        broker = OneBroker(folder / "kafka")
        try:
            broker.start()
            topic = new_topic(broker.bootstrap)
            bus = KafkaBus(broker.bootstrap)
            record = OutboundRecord(topic, b"k", b"v")
            assert None not in bus.publish([record])
            broker.stop()
            answers: list[Sequence[Placement | None]] = []
            assert took(lambda: answers.append(bus.publish([record, record]))) < impatient + 1
            assert answers == [[None, None]]
            broker.start()
            kafka_broker.create_topics(broker.bootstrap, [NewTopic(topic, PARTITIONS, 1)])
            assert None not in bus.publish([record])
            bus.close()
        finally:
            broker.stop()
