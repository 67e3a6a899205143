"""The functions behind the API, with the events that AWS hands them and with ports in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from nofy.domain.dead_letters import Kind
from nofy.domain.errors import StoreUnavailableError
from nofy.domain.ids import Prefix, encode
from nofy.domain.lifecycle import Status
from nofy.domain.records import read_ack
from nofy.domain.routing import ACKS_TOPIC, Channel
from nofy.domain.timing import DISPATCHER_RUN
from nofy.pipeline.acknowledge import Acknowledger
from nofy.pipeline.credit import LaneCredit
from nofy.pipeline.deliver import Consumer
from nofy.pipeline.dispatch import Dispatcher
from nofy.pipeline.reconcile import Reconciler
from nofy.runtime import clock
from tests.fakes import (
    CountingIds,
    FakeSender,
    ManualClock,
    MemoryBus,
    MemoryLimiter,
    MemoryOffsets,
    MemorySchedule,
    MemoryStore,
)
from tests.fakes.projects import new_project
from tests.functions.conftest import Context, event

TICK = event("scheduler_tick")


class World:
    """Everything the functions talk to, in memory, with a project in it."""

    def __init__(self) -> None:
        # The consumer measures its time by the real clock, so the world starts at the real present.
        self.clock = ManualClock(clock.now())
        self.store = MemoryStore(self.clock)
        self.schedule = MemorySchedule(self.clock)
        self.bus = MemoryBus(self.clock)
        self.sender = FakeSender()
        self.project = new_project(self.clock, CountingIds(self.clock))
        self.store.add_key(self.project.token_hash, self.project.principal)

    def accept(self, *channels: Channel, **more: Any) -> None:
        self.store.accept(self.project.principal, [self.project.plan(*channels, **more)])

    def statuses(self) -> list[Status]:
        return [each.status for each in self.store.tables.deliveries.values()]

    def dispatcher(self) -> Dispatcher:
        credit = LaneCredit(MemoryOffsets(self.bus), self.clock)
        return Dispatcher(self.store, self.schedule, self.bus, credit, self.clock, self.clock.advance)

    def reconciler(self) -> Reconciler:
        offsets = MemoryOffsets(self.bus)
        return Reconciler(self.store, self.store, self.schedule, self.bus, offsets, self.clock, lambda: 0.5)

    def consumer(self) -> Consumer:
        return Consumer(self.store, MemoryLimiter(), self.sender, self.bus, self.clock, lambda: 0.5)

    def acknowledger(self) -> Acknowledger:
        return Acknowledger(self.store, self.store, self.schedule, self.clock)


@pytest.fixture
def world() -> World:
    return World()


def msk(world: World, topic: str) -> dict[str, Any]:
    """The records of a topic as the local bridge (and MSK) hand them over."""
    from local.bridge.event import Record
    from local.bridge.event import event as event_of

    found = [
        Record(each.topic, each.partition, each.offset, each.timestamp_ms, each.key, each.value)
        for each in world.bus.records(topic)
    ]
    return event_of(found, "127.0.0.1:9092")


def test_a_notification_goes_through_every_function(function, world: World):
    world.accept(Channel.SLACK)
    (lane,) = {each.planned.lane for each in world.store.tables.deliveries.values()}

    reconcile = function("reconciler")
    reconcile.reconciler = world.reconciler()
    assert reconcile.handler(TICK, Context())["indexed"] == 1

    dispatch = function("dispatcher")
    dispatch.dispatcher = world.dispatcher()
    assert dispatch.handler(TICK, Context(remaining=300_000))["queued"] == 1
    assert world.statuses() == [Status.QUEUED]

    consume = function("consumer")
    consume.consumer = replace(world.consumer(), clock=clock.now)
    assert consume.handler(msk(world, lane.topic), Context()) == {"batchItemFailures": []}
    assert world.statuses() == [Status.SENDING]
    assert len(world.sender.ledger) == 1

    acknowledge = function("acks")
    acknowledge.acknowledger = world.acknowledger()
    assert acknowledge.handler(msk(world, ACKS_TOPIC), Context()) == {"batchItemFailures": []}
    assert world.statuses() == [Status.SENT]


def test_the_consumer_begins_nothing_that_lambda_would_cut_off(function, world: World):
    world.accept(Channel.SLACK)
    world.schedule.add(world.store._entries(), world.clock())
    function_ = function("dispatcher")
    function_.dispatcher = world.dispatcher()
    function_.handler(TICK, Context(remaining=300_000))

    consume = function("consumer")
    consume.consumer = replace(world.consumer(), clock=clock.now)
    consume.handler(msk(world, "nofy.deliveries.slack.normal.v1"), Context(remaining=60_000))
    assert not world.sender.ledger
    (ack,) = world.bus.records(ACKS_TOPIC)
    assert "consumer's time was over" in str(read_ack(ack.value).outcome)


def test_records_for_deliveries_that_do_not_exist_fall_away(function, world: World):
    consume = function("consumer")
    consume.consumer = world.consumer()
    assert consume.handler(event("msk_deliveries"), Context()) == {"batchItemFailures": []}
    assert not world.bus.topics


def test_acks_that_belong_to_nobody_or_cannot_be_read_are_buried(function, world: World):
    acknowledge = function("acks")
    acknowledge.acknowledger = world.acknowledger()
    assert acknowledge.handler(event("msk_acks"), Context()) == {"batchItemFailures": []}
    buried = sorted(each.letter.source for each in world.store.tables.dead_letters)
    assert buried == ["nofy.acks.v1/0/10", "nofy.acks.v1/0/11", "nofy.acks.v1/0/12"]


def figures(printed: pytest.CaptureFixture[str] | str, name: str) -> list[tuple[dict[str, str], list[float]]]:
    """A metric's dimensions and values, of every line of standard output that tells it."""
    out = printed if isinstance(printed, str) else printed.readouterr().out
    lines = [json.loads(line) for line in out.splitlines()]
    emitted = [each for each in lines if "_aws" in each and name in each]
    return [
        ({key: each[key] for key in each["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]}, each[name])
        for each in emitted
    ]


@pytest.mark.parametrize("figure", ["lost", "oldest_queued_seconds", "held_integrations"])
def test_a_sweep_that_finds_nothing_says_so(function, world: World, capsys, figure: str):
    module = function("reconciler")
    module.reconciler = world.reconciler()
    module.handler(TICK, Context())
    assert figures(capsys, figure) == [({"function": "reconciler", "service": "test"}, [0.0])]


@pytest.mark.parametrize(
    ("figure", "dimensions"),
    [("lateness_ms", {}), ("attempts_all", {"channel": "slack"}), ("attempts_failed", {"channel": "slack"})],
)
def test_a_batch_tells_how_late_it_was_and_how_its_channel_fares(
    function, world: World, capsys, figure: str, dimensions: dict[str, str]
):
    world.accept(Channel.SLACK)
    world.schedule.add(world.store._entries(), world.clock())
    dispatch = function("dispatcher")
    dispatch.dispatcher = world.dispatcher()
    dispatch.handler(TICK, Context(remaining=300_000))
    consume = function("consumer")
    consume.consumer = replace(world.consumer(), clock=clock.now)
    consume.handler(msk(world, "nofy.deliveries.slack.normal.v1"), Context())
    ((told, values),) = figures(capsys, figure)
    assert told == {"function": "consumer", "service": "test", **dimensions}
    assert len(values) == 1
    assert {"attempts_all": values == [1.0], "attempts_failed": values == [0.0]}.get(figure, True)


def test_every_dead_letter_is_counted(function, world: World, capsys):
    module = function("dlq")
    module.burials = world.store
    module.handler(event("msk_dlq"), Context())
    assert figures(capsys, "dead_letters") == [({"function": "dlq", "service": "test"}, [2.0])]


@pytest.mark.parametrize("folder", ["acks", "dlq", "consumer"])
def test_a_store_that_is_down_fails_the_batch_so_that_it_comes_again(function, world: World, folder: str, monkeypatch):
    def down(*_: Any) -> Any:
        raise StoreUnavailableError("connection refused")

    for method in ("states", "bury", "lease"):
        monkeypatch.setattr(world.store, method, down)
    module = function(folder)
    module.acknowledger, module.burials, module.consumer = world.acknowledger(), world.store, world.consumer()
    with pytest.raises(StoreUnavailableError):
        module.handler(event({"acks": "msk_acks", "dlq": "msk_dlq", "consumer": "msk_deliveries"}[folder]), Context())


def test_dead_letters_are_stored_with_their_kind(function, world: World):
    dlq = function("dlq")
    dlq.burials = world.store
    assert dlq.handler(event("msk_dlq"), Context()) == {"batchItemFailures": []}
    assert dlq.handler(event("msk_esm_failures"), Context()) == {"batchItemFailures": []}
    letters = [each.letter for each in world.store.tables.dead_letters]
    assert [each.kind for each in letters] == [Kind.DELIVERY, Kind.RECORD, Kind.BATCH]
    assert letters[1].raw == b"\xff\x00"
    assert json.loads(letters[2].raw or b"")["requestContext"]["condition"] == "RetryAttemptsExhausted"


def test_the_dispatcher_ends_a_minute_before_lambda_would_end_it(function):
    module = function("dispatcher")
    runs: list[Any] = []

    class Recording:
        def run(self, run_id: str, ends_at: Any) -> Any:
            from nofy.pipeline.dispatch import Dispatched

            runs.append((run_id, ends_at))
            return Dispatched(turns=3)

    module.dispatcher = Recording()
    before = clock.now()
    assert module.handler(TICK, Context(remaining=300_000))["turns"] == 3
    ((run_id, ends_at),) = runs
    assert run_id == Context().aws_request_id
    assert timedelta(0) <= ends_at - before - timedelta(seconds=DISPATCHER_RUN) < timedelta(seconds=1)


def test_the_dispatcher_tells_lags_by_lane_and_by_late_project(function, world: World, capsys):
    module = function("dispatcher")
    module.dispatcher = replace(world.dispatcher(), tell=module.tell)
    world.accept(Channel.SLACK)
    world.clock.advance(5)
    world.reconciler().sweep()
    module.handler(TICK, Context(remaining=300_000))
    printed = capsys.readouterr().out
    by = {"function": "dispatcher", "service": "test"}
    project = encode(Prefix.PROJECT, world.project.principal.project_id)
    assert figures(printed, "lane_lag_ms") == [({**by, "lane": "slack.normal"}, [5_000.0])]
    assert figures(printed, "project_lag_ms") == [({**by, "project": project}, [5_000.0])]


def test_a_sweep_with_a_failed_step_is_a_failed_invocation(function, world: World, monkeypatch):
    def down(*_: Any) -> Any:
        raise StoreUnavailableError("connection refused")

    module = function("reconciler")
    module.reconciler = world.reconciler()
    monkeypatch.setattr(world.store, "release_held", down)
    world.accept(Channel.SLACK)
    with pytest.raises(module.SweepFailedError, match="held"):
        module.handler(TICK, Context())
    assert any(world.schedule.due.values()), "the other steps were taken"


@pytest.mark.parametrize(("reports", "kind"), [("true", "KafkaOffsets"), ("false", "UnreportedOffsets")])
def test_a_broker_that_cannot_report_its_lag_is_not_asked_for_it(function, monkeypatch, reports: str, kind: str):
    function("dispatcher")
    monkeypatch.setenv("KAFKA_REPORTS_LAG", reports)
    from tests.functions.conftest import load_handler

    assert type(load_handler("dispatcher").offsets).__name__ == kind
    assert type(load_handler("reconciler").reconciler.offsets).__name__ == kind


def test_the_migrator_tells_what_it_applied(function, monkeypatch):
    module = function("migrate")
    asked = []
    monkeypatch.setattr(module, "migrate", lambda database: asked.append(database) or ["0001_x"])
    assert module.handler({}, Context()) == {"applied": ["0001_x"]}
    assert asked == [module.database]


def test_the_operator_function_performs_a_command(function, monkeypatch):
    class Administration:
        def create_project(self, *given: Any) -> None:
            stored.append(given)

    stored: list[Any] = []
    module = function("operator")
    module.administration = Administration()
    answer = module.handler({"command": "create_project", "name": "Acme"}, Context())
    assert answer["project_id"].startswith("prj_")
    assert stored[0][1] == "Acme"
