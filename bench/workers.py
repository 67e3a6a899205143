"""The workers: each function's own wiring in a process of its own, driven as its event source drives it.

A process for each partition, as Lambda has it. Only the invoke between consumer and sender is left out: what crosses it
is made and read, as JSON, on the same side.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import sys
import threading
import time
from collections import deque
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psutil
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from bench.machine import PARTITIONS
from faults.sending import OpenVault, client_of
from faults.spec import Addresses, end_with_parent
from faults.workers import Stream, inbound, load_handler
from nofy.adapters.aws.invoke import LambdaSender
from nofy.adapters.providers.http import HttpClient
from nofy.domain import timing
from nofy.domain.routing import ACKS_GROUP, ACKS_TOPIC, LANES, Channel, Lane, Priority, Provider
from nofy.pipeline.send import ChannelSender
from nofy.pipeline.target import target_lag
from nofy.runtime import clock, sending
from nofy.runtime.observability import logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.process import BaseProcess

    from bench.machine import Machine
    from nofy.domain.records import InboundRecord

START_SECONDS = 30.0
SWEEP_SECONDS = 60.0
# What an event source hands over at most, as cdk.json has it for a busy lane.
BATCH = 500

log = logging.getLogger("bench")


@dataclass(frozen=True)
class Role:
    """One worker. ``lane`` and ``partition`` of a consumer; ``batch``: the most it is handed at once."""

    name: str
    lane: Lane | None = None
    partition: int = 0
    batch: int = BATCH

    def __str__(self) -> str:
        return "-".join(map(str, (self.name, *([self.lane.name] if self.lane else []), self.partition)))


def consumers(*lanes: Lane, partitions: int, batch: int = BATCH) -> list[Role]:
    """A process for each partition of some lanes."""
    return [Role("consumer", lane, each, batch) for lane in lanes for each in range(partitions)]


def pipeline(*lanes: Lane, partitions: int, batch: int = BATCH) -> list[Role]:
    """Everything after accept, for some lanes."""
    acks = [Role("acks", partition=each, batch=batch) for each in range(partitions)]
    return [Role("dispatcher"), *consumers(*lanes, partitions=partitions, batch=batch), *acks, Role("reconciler")]


class InvokedSender(LambdaSender):
    """The sender functions without Lambda: payload and answer are JSON all the same.

    One of them for each consumer, which serves one invoke at a time: two cores would have no more to run others on, and
    so a consumer has 32 calls in flight, as the cases count on.
    """

    def __init__(self, provider_url: str) -> None:
        super().__init__({each: each for each in Provider})
        logger.setLevel(logging.WARNING)  # a line an invoke goes to CloudWatch, not to whoever reads the figures
        self._senders = {
            each: ChannelSender(client_of(each, provider_url, HttpClient()), OpenVault(), clock.now)
            for each in Provider
        }
        self._free = threading.Lock()

    def _invoke(self, function: str, payload: bytes) -> bytes:
        event = json.loads(payload)
        with self._free:
            return json.dumps(sending.answer(self._senders[Provider(function)], event)).encode()


class Polled(Stream):
    """As Lambda's own pollers: they read on while the function works, and it does not wait for the last one's commit.

    kafka-python has one fetch under way while nobody polls, answered with the first records to come; whoever polls only
    between two batches gets those few, and the others in the batch after.
    """

    def _read(self) -> None:
        arrived = Arrived(self._size)
        with closing(self._reader()) as reader, closing(self._reader()) as committer:
            self._assign(reader)
            threading.Thread(target=arrived.poll, args=(reader,), daemon=True).start()
            while True:
                fetched = arrived.take()
                self._settle([inbound(each) for each in fetched])
                # By a consumer of its own, which kafka-python wants for each thread.
                last = fetched[-1]
                where = TopicPartition(last.topic, last.partition)
                committer.commit_async({where: OffsetAndMetadata(last.offset + 1, "", -1)})


class Arrived:
    """What was read of one partition, and not handed over yet: at most a batch, and what came with its last record."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._records: deque[Any] = deque()
        self._change = threading.Condition()
        self._failure: Exception | None = None

    def poll(self, reader: Any) -> None:
        """For a thread of its own; what ends it is raised by :meth:`take`."""
        try:
            while True:
                for fetched in reader.poll(timeout_ms=1_000, max_records=self._size).values():
                    self._put(fetched)
        except Exception as error:  # noqa: BLE001
            with self._change:
                self._failure = error
                self._change.notify_all()

    def _put(self, fetched: Sequence[Any]) -> None:
        with self._change:
            self._change.wait_for(lambda: len(self._records) < self._size)
            self._records.extend(fetched)
            self._change.notify_all()

    def take(self) -> list[Any]:
        """All of it, as soon as there is anything."""
        with self._change:
            self._change.wait_for(lambda: self._records or self._failure)
            if self._failure:
                raise self._failure
            taken = [self._records.popleft() for _ in range(min(self._size, len(self._records)))]
            self._change.notify_all()
        return taken


def work(role: Role, at: Addresses, log_file: str) -> None:
    """A worker's life, until it is ended."""
    end_with_parent()
    descriptor = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    {"dispatcher": _dispatch, "consumer": _consume, "acks": _acknowledge, "reconciler": _reconcile}[role.name](role, at)


def _dispatch(_: Role, at: Addresses) -> None:
    # What the deploy tells it, from cdk.json's partitions and batches.
    os.environ["TARGET_LAG"] = json.dumps(dict.fromkeys((each.name for each in LANES), target_lag(PARTITIONS, BATCH)))
    dispatcher = load_handler("dispatcher", at).dispatcher
    while True:
        dispatcher.run(uuid4().hex, clock.now() + timedelta(seconds=timing.DISPATCHER_RUN))


def _consume(role: Role, at: Addresses) -> None:
    assert role.lane
    consumer = replace(load_handler("consumer", at).consumer, sender=InvokedSender(at.provider))

    def hand_over(records: Sequence[InboundRecord]) -> None:
        consumer.deliver(records, clock.now() + timedelta(seconds=timing.CONSUMER_TIMEOUT))

    Polled(at.kafka, role.lane.topic, role.lane.group, role.batch, hand_over, [role.partition]).run()


def _acknowledge(role: Role, at: Addresses) -> None:
    acknowledger = load_handler("acks", at).acknowledger
    Polled(at.kafka, ACKS_TOPIC, ACKS_GROUP, role.batch, acknowledger.acknowledge, [role.partition]).run()


def _reconcile(_: Role, at: Addresses) -> None:
    reconciler = load_handler("reconciler", at).reconciler
    while True:
        reconciler.sweep()
        time.sleep(SWEEP_SECONDS)


class Fleet:
    """Some workers, and what they cost."""

    def __init__(self, machine: Machine, roles: Sequence[Role]) -> None:
        context = multiprocessing.get_context("spawn")
        self._machine = machine
        self._running: dict[str, BaseProcess] = {}
        for role in roles:
            arguments = (role, machine.addresses, str(machine.folder / f"{role}.log"))
            process = context.Process(target=work, args=arguments, daemon=True)
            process.start()
            self._running[str(role)] = process

    def processes(self) -> dict[str, psutil.Process]:
        return {name: psutil.Process(each.pid) for name, each in self._running.items()}

    def cpu_seconds(self) -> dict[str, float]:
        """So far, by worker."""
        return {name: sum(each.cpu_times()[:2]) for name, each in self.processes().items()}

    def alive(self) -> None:
        """AssertionError with the end of its log where a worker has ended."""
        for name, each in self._running.items():
            assert each.is_alive(), f"{name} ended:\n{(self._machine.folder / f'{name}.log').read_text()[-2_000:]}"

    def close(self) -> None:
        for each in self._running.values():
            each.kill()
            each.join()
            each.close()


@contextmanager
def running(machine: Machine, roles: Sequence[Role]) -> Iterator[Fleet]:
    fleet = Fleet(machine, roles)
    try:
        yield fleet
    finally:
        fleet.close()


EMAIL = Lane(Channel.EMAIL, Priority.NORMAL)
