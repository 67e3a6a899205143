"""Every lane is consumed, and nothing that fails disappears."""

import dataclasses
import json
from collections import Counter

import pytest

from infra import topology
from infra.functions import FUNCTIONS
from infra.settings import Batch, Stage, load_settings
from infra.topology import UNLIMITED, OnFailure
from nofy.domain import routing


@pytest.fixture(params=list(Stage))
def settings(request):
    return load_settings(request.param)


def test_every_topic_has_exactly_one_event_source(settings):
    consumed = Counter(source.topic for source in topology.event_sources(settings))

    assert consumed == dict.fromkeys(routing.TOPICS, 1)


def test_every_topic_is_created_with_the_partitions_its_source_reads(settings):
    created = {topic.name: topic.partitions for topic in topology.topics(settings)}

    assert created == {source.topic: source.partitions for source in topology.event_sources(settings)}


def test_every_source_has_a_consumer_group_of_its_own(settings):
    groups = [source.group for source in topology.event_sources(settings)]

    assert len(set(groups)) == len(groups)
    assert {lane.group for lane in routing.LANES} <= set(groups)


def test_every_source_calls_a_function_that_exists(settings):
    names = {spec.name for spec in FUNCTIONS}

    assert {source.function for source in topology.event_sources(settings)} <= names


def test_a_source_without_a_destination_is_never_given_up_on(settings):
    for source in topology.event_sources(settings):
        assert (source.retry_attempts == UNLIMITED) == (source.on_failure is OnFailure.NOWHERE), source


def test_no_function_is_handed_its_own_failures_again(settings):
    """The dlq function reads the failures topic: its own failures on it would go round for ever."""
    readers = {source.topic: source.function for source in topology.event_sources(settings)}
    reader = readers[routing.ESM_FAILURES_TOPIC]

    for source in topology.event_sources(settings):
        assert not (source.function == reader and source.on_failure is OnFailure.TOPIC), source


def test_each_priority_has_the_batch_its_profile_gives_it(settings):
    batches = dataclasses.replace(settings.batches, high=Batch(1, 0), normal=Batch(2, 1), low=Batch(3, 2))
    changed = dataclasses.replace(settings, batches=batches)
    found = {source.topic: source.batch.size for source in topology.event_sources(changed)}

    for lane in routing.LANES:
        assert found[lane.topic] == {"high": 1, "normal": 2, "low": 3}[lane.priority]


def test_dead_letters_have_room_for_an_unreadable_record_as_base64(settings):
    room = {topic.name: topic.max_message_bytes for topic in topology.topics(settings)}

    assert room[routing.DLQ_TOPIC] == room[routing.ESM_FAILURES_TOPIC] == 2 * 1024 * 1024
    assert room[routing.ACKS_TOPIC] is None


def test_the_bridge_is_told_of_every_source(local):
    (parameter,) = local.of_type("AWS::SSM::Parameter").values()
    published = json.loads(_joined(parameter["Properties"]["Value"], local))

    assert parameter["Properties"]["Name"] == "/nofy/local/kafka-consumers"
    assert [entry["topic"] for entry in published] == [
        source.topic for source in topology.event_sources(load_settings(Stage.LOCAL))
    ]
    assert published[0] == {
        "topic": "nofy.deliveries.slack.high.v1",
        "group": "nofy-slack-high",
        "batch_size": 100,
        "window_ms": 0,
        "function": "nofy-local-consumer",
        "partitions": 2,
        "on_failure": "nofy.esm-failures.v1",
        "retry_attempts": 3,
    }


def test_the_bridge_never_gives_up_on_what_has_no_topic_to_go_to(local):
    (parameter,) = local.of_type("AWS::SSM::Parameter").values()
    published = json.loads(_joined(parameter["Properties"]["Value"], local))

    assert {entry["topic"] for entry in published if entry["retry_attempts"] == UNLIMITED} == {
        routing.ACKS_TOPIC,
        routing.DLQ_TOPIC,
        routing.ESM_FAILURES_TOPIC,
    }
    for entry in published:
        assert (entry["on_failure"] is None) == (entry["retry_attempts"] == UNLIMITED)


def test_the_list_for_the_bridge_fits_a_standard_parameter(local):
    """4 KB: https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html."""
    (parameter,) = local.of_type("AWS::SSM::Parameter").values()

    assert len(_joined(parameter["Properties"]["Value"], local)) <= 4096


def _joined(value, deployed):
    if isinstance(value, str):
        return value
    parts = value["Fn::Join"][1]
    return "".join(
        part if isinstance(part, str) else f"nofy-{deployed.stage}-{deployed.name_of(part)}" for part in parts
    )


def test_a_lane_may_have_unread_what_its_own_event_source_is_busy_with(settings):
    sources = {source.topic: source for source in topology.event_sources(settings)}

    for lane in routing.LANES:
        source = sources[lane.topic]
        assert topology.target_lag(settings)[lane.name] == 2 * source.partitions * source.batch.size
