"""Acks come twice, in the wrong order, or late."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from faults.cases.steps import MANY
from faults.shortened import SHORTENED
from nofy.domain.routing import ACKS_TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.bench import Bench

LEASE = SHORTENED["ATTEMPT_LEASE"]


def acks_duplicated_and_reordered(bench: Bench) -> None:
    bench.fleet.kill("acks")
    since = _ends(bench)
    promised = bench.accept(MANY)
    assert bench.wait(lambda: sum(_ends(bench).values()) >= sum(since.values()) + MANY, bench.patience)
    _repeat_backwards(bench, since)
    bench.fleet.start("acks")
    bench.expect_sent(promised)


def acks_handler_down_for_longer_than_a_lease(bench: Bench) -> None:
    """The reconciler reports expired leases behind acceptances that are in the topic already: those win."""
    bench.fleet.kill("acks")
    promised = bench.accept(MANY)
    assert bench.wait(lambda: bench.taken(promised) == MANY, bench.patience)
    time.sleep(LEASE + 3)
    bench.fleet.start("acks")
    bench.expect_sent(promised)
    assert bench.asked(promised) == len(promised), "a second send"


@contextmanager
def _acks(bench: Bench) -> Iterator[tuple[KafkaConsumer, list[TopicPartition]]]:
    brokers = bench.machine.addresses.kafka
    with closing(KafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False, metrics_enabled=False)) as reader:
        yield reader, [TopicPartition(ACKS_TOPIC, each) for each in reader.partitions_for_topic(ACKS_TOPIC)]


def _ends(bench: Bench) -> dict[TopicPartition, int]:
    with _acks(bench) as (reader, partitions):
        ends: dict[TopicPartition, int] = reader.end_offsets(partitions)
        return ends


def _repeat_backwards(bench: Bench, since: dict[TopicPartition, int]) -> None:
    """Every ack since then twice more: once in the opposite order."""
    found: list[Any] = []
    with _acks(bench) as (reader, partitions):
        reader.assign(partitions)
        for where, offset in since.items():
            reader.seek(where, offset)
        while len(found) < MANY:
            found += [each for some in reader.poll(timeout_ms=1_000).values() for each in some]
    brokers = bench.machine.addresses.kafka
    with closing(KafkaProducer(bootstrap_servers=brokers, acks="all", metrics_enabled=False)) as writer:
        for each in [*reversed(found), *found]:
            writer.send(ACKS_TOPIC, each.value, key=each.key)
        writer.flush()
