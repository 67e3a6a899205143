"""Records that nobody can read, and records that come again."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from faults.cases.steps import FEW, MANY
from nofy.domain.routing import ACKS_TOPIC, LANES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.bench import Bench


def poison_records(bench: Bench) -> None:
    """Among good ones, on every lane: bad JSON, an unknown version, one as large as Kafka takes, a tombstone."""
    buried = _buried(bench)
    poison = [b"{not json", b'{"v": 99}', b"x" * 900_000, b"", b'{"v": 1, "delivery_id": 7}']
    promised = bench.accept(FEW)
    with _writer(bench) as writer:
        for lane in LANES:
            for each in poison:
                writer.send(lane.topic, each)
    promised += bench.accept(FEW)
    bench.expect_sent(promised)
    with _writer(bench) as writer:
        for each in poison:
            writer.send(ACKS_TOPIC, each)
    promised = bench.accept(FEW)
    bench.expect_sent(promised)
    expected = len(poison) * (len(LANES) + 1)
    assert bench.wait(lambda: _buried(bench) == buried + expected, 20), (
        f"{_buried(bench) - buried} of {expected} buried"
    )


def _buried(bench: Bench) -> int:
    return int(bench.machine.query("SELECT count(*) FROM dead_letters WHERE kind <> 'delivery'")[0][0])


def records_twice(bench: Bench) -> None:
    """Every delivery record once more, after its delivery was sent: a consumer drops what is not the row's any more."""
    promised = bench.accept(MANY)
    bench.expect_sent(promised)
    ids = {str(each.delivery_id).encode() for each in promised}
    found = _everything(bench, [lane.topic for lane in LANES])
    with _writer(bench) as writer:
        for each in found:
            if each.value and any(identifier in each.value for identifier in ids):
                writer.send(each.topic, each.value, key=each.key)
    time.sleep(2)
    bench.expect_sent(promised)
    assert bench.asked(promised) == len(promised), "a second send"


@contextmanager
def _writer(bench: Bench) -> Iterator[KafkaProducer]:
    """What was sent has been taken when the block ends."""
    brokers = bench.machine.addresses.kafka
    with closing(KafkaProducer(bootstrap_servers=brokers, acks="all", metrics_enabled=False)) as writer:
        yield writer
        writer.flush()


def _everything(bench: Bench, topics: list[str]) -> list[Any]:
    """Every record that lies on some topics."""
    found: list[Any] = []
    with closing(KafkaConsumer(bootstrap_servers=bench.machine.addresses.kafka, metrics_enabled=False)) as reader:
        partitions = [TopicPartition(topic, each) for topic in topics for each in reader.partitions_for_topic(topic)]
        reader.assign(partitions)
        reader.seek_to_beginning()
        wanted = sum(reader.end_offsets(partitions).values())
        while len(found) < wanted:
            found += [each for some in reader.poll(timeout_ms=1_000).values() for each in some]
    return found
