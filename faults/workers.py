"""The workers: the real pipeline with the real adapters, called as Lambda's event sources call it."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from faults import tricks as wrongs
from faults.hands import Hands, NotingSender
from faults.sending import HttpSender
from faults.shortened import SHORTENED
from faults.spec import BATCH, Addresses, Spec, end_with_parent
from local.artefacts import ROOT
from nofy.domain import timing
from nofy.domain.records import InboundRecord
from nofy.domain.routing import ACKS_GROUP, ACKS_TOPIC, DLQ_GROUP, DLQ_TOPIC, LANES, Channel, Lane
from nofy.pipeline import deliver
from nofy.pipeline.bury import bury
from nofy.runtime import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from multiprocessing.connection import Connection

OTHER_BATCH = 200

TICK_SECONDS = 1.0
RUN_SECONDS = 20.0
PAUSE_SECONDS = 0.3

log = logging.getLogger("faults")


def main(spec: Spec, pipe: Connection | None = None) -> None:
    """Until it is killed, or whoever started it is gone.

    Comes by :func:`faults.spec.work`, which has shortened the times before this was loaded.
    """
    assert SHORTENED["ATTEMPT_LEASE"] == vars(deliver)["ATTEMPT_LEASE"], (
        "the pipeline was loaded with production's times"
    )
    end_with_parent()
    descriptor = os.open(spec.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    wrongs.apply(spec.tricks)
    if spec.death:
        spec.death.arrange()
    if pipe is not None:
        _produce(spec.addresses, pipe)
        return
    role, _, channel = spec.role.partition("-")
    {
        "dispatcher": _dispatch,
        "consumer": lambda worker: _consume(worker, Channel(channel)),
        "acks": _acknowledge,
        "dlq": _bury,
        "reconciler": _reconcile,
    }[role](Worker(spec))


class Worker:
    """A function's own wiring: its handler is loaded as Lambda does, and its parts are called without the envelope."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.at = spec.addresses

    def now(self) -> datetime:
        return clock.now() + timedelta(seconds=self.spec.skew)

    def wired(self, folder: str, part: str, **other: Any) -> Any:
        """The handler's ``part``, with this worker's clock."""
        return replace(getattr(load_handler(folder, self.at), part), clock=self.now, **other)


def _dispatch(worker: Worker) -> None:
    """As EventBridge does: a run, and when it is over the next one at the following tick."""
    dispatcher = worker.wired("dispatcher", "dispatcher")
    while True:
        dispatcher.run(uuid4().hex, worker.now() + timedelta(seconds=RUN_SECONDS))
        time.sleep(TICK_SECONDS)


def _consume(worker: Worker, channel: Channel) -> None:
    """An event source a lane, each with connections of its own: in Lambda they are different workers."""
    sender = HttpSender(worker.at.provider, worker.now)

    def stream(lane: Lane) -> Stream:
        hands = Hands(worker.spec.log, lane.priority)
        consumer = worker.wired("consumer", "consumer", sender=NotingSender(sender, hands))

        def hand_over(records: Sequence[InboundRecord]) -> None:
            consumer.deliver(records, worker.now() + timedelta(seconds=timing.CONSUMER_TIMEOUT))
            hands.lay_down()

        return Stream(worker.at.kafka, lane.topic, lane.group, BATCH, hand_over)

    _run([stream(lane) for lane in LANES if lane.channel is channel])


def _acknowledge(worker: Worker) -> None:
    acknowledger = worker.wired("acks", "acknowledger")
    _run([Stream(worker.at.kafka, ACKS_TOPIC, ACKS_GROUP, OTHER_BATCH, acknowledger.acknowledge)])


def _bury(worker: Worker) -> None:
    burials = load_handler("dlq", worker.at).burials
    _run([Stream(worker.at.kafka, DLQ_TOPIC, DLQ_GROUP, OTHER_BATCH, lambda records: bury(records, burials))])


def _reconcile(worker: Worker) -> None:
    reconciler = worker.wired("reconciler", "reconciler")
    while True:
        reconciler.sweep()
        time.sleep(TICK_SECONDS)


def _run(streams: list[Stream]) -> None:
    threads = [threading.Thread(target=each.run, daemon=True) for each in streams]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


class Stream:
    """One event source: its records in batches, each handed over until it is taken, then committed."""

    def __init__(
        self,
        brokers: str,
        topic: str,
        group: str,
        size: int,
        handle: Callable[[Sequence[InboundRecord]], object],
        partitions: Iterable[int] | None = None,
    ) -> None:
        """``partitions``: those of the topic that are read here, where others read the rest."""
        self._brokers, self._topic, self._group, self._size, self._handle = brokers, topic, group, size, handle
        self._partitions = partitions

    def run(self) -> None:
        while True:
            try:
                self._read()
            except (KafkaError, TypeError):  # the latter for a topic whose partitions nobody can tell just now
                log.exception("Kafka fails %s", self._topic)
                time.sleep(PAUSE_SECONDS)

    def _read(self) -> None:
        reader = self._reader()
        try:
            self._assign(reader)
            while True:
                for where, fetched in reader.poll(timeout_ms=1_000, max_records=self._size).items():
                    self._settle([inbound(each) for each in fetched])
                    self._commit(reader, {where: OffsetAndMetadata(fetched[-1].offset + 1, "", -1)})
        finally:
            reader.close(timeout_ms=500)

    def _reader(self) -> Any:
        return KafkaConsumer(
            bootstrap_servers=self._brokers,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            reconnect_backoff_max_ms=500,
            fetch_max_wait_ms=250,
            max_poll_records=self._size,
            metrics_enabled=False,
        )

    def _assign(self, reader: Any) -> None:
        partitions = self._partitions or reader.partitions_for_topic(self._topic)
        reader.assign([TopicPartition(self._topic, each) for each in partitions])

    def _commit(self, reader: Any, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        reader.commit(offsets)

    def _settle(self, records: Sequence[InboundRecord]) -> None:
        """A batch that fails comes again, whole, whatever made it fail: as Lambda has it."""
        while True:
            try:
                self._handle(records)
            except Exception:
                log.exception("batch of %s comes again", self._topic)
                time.sleep(PAUSE_SECONDS)
            else:
                return


def inbound(fetched: Any) -> InboundRecord:
    return InboundRecord(
        fetched.topic, fetched.partition, fetched.offset, fetched.key, fetched.value or b"", fetched.timestamp
    )


@dataclass(frozen=True)
class Context:
    """As much of Lambda's as a handler reads."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def _produce(at: Addresses, pipe: Connection) -> None:
    """The producer's own handler; requests come through a pipe, with a number each, instead of API Gateway."""
    handler = load_handler("producer", at).handler
    while True:
        number, method, path, body, headers = pipe.recv()
        answer = handler(request_event(method, path, body, headers), Context(uuid4().hex))
        pipe.send((number, answer["statusCode"], answer["body"]))


def load_handler(folder: str, at: Addresses) -> Any:
    """A function's module, made anew under the environment that its deploy gives it."""
    os.environ.update(
        POSTGRES_DSN=at.postgres_api if folder == "producer" else at.postgres_pipeline,
        REDIS_URL=at.redis,
        KAFKA_BOOTSTRAP=at.kafka,
        KAFKA_REPORTS_LAG="true" if at.kafka_reports_lag else "false",
        SENDER_FUNCTIONS="{}",
        POWERTOOLS_SERVICE_NAME="faults",
        POWERTOOLS_METRICS_NAMESPACE="faults",
        POWERTOOLS_LOG_LEVEL="WARNING",
        AWS_DEFAULT_REGION="us-east-1",
    )
    spec = importlib.util.spec_from_file_location("handler", ROOT / "functions" / folder / "handler.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def request_event(method: str, path: str, body: str, headers: dict[str, str]) -> dict[str, Any]:
    """As API Gateway's REST API makes it."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {"path": path, "httpMethod": method, "stage": "faults", "requestId": uuid4().hex},
        "body": body,
        "isBase64Encoded": False,
    }
