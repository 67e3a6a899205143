"""Which way a delivery travels."""

from __future__ import annotations

import itertools
import re

import pytest

from nofy.domain import routing
from nofy.domain.notification import ADDRESS_FIELD
from nofy.domain.retry import POLICIES
from nofy.domain.routing import LANES, PRIORITY_OF, PROVIDER_OF, TOPICS, Channel, Lane, MessageClass, Priority, Provider


def test_the_lanes_are_every_channel_at_every_priority():
    assert {(each.channel, each.priority) for each in LANES} == set(itertools.product(Channel, Priority))
    assert len(LANES) == len(Channel) * len(Priority)


def test_high_lanes_come_before_normal_ones_and_those_before_low_ones():
    order = list(Priority)
    ranks = [order.index(each.priority) for each in LANES]
    assert order == [Priority.HIGH, Priority.NORMAL, Priority.LOW]
    assert ranks == sorted(ranks)


def test_no_two_topics_groups_or_lanes_share_a_name():
    groups = [each.group for each in LANES]
    groups += [routing.ACKS_GROUP, routing.DLQ_GROUP, routing.ESM_FAILURES_GROUP]
    assert len(set(TOPICS)) == len(TOPICS) == len(LANES) + 3
    assert len(set(groups)) == len(groups)
    assert len({each.name for each in LANES}) == len(LANES)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topics_name_is_one_kafka_takes_and_carries_a_version(topic: str):
    assert re.fullmatch(r"nofy\.[a-z.-]+\.v1", topic)
    assert len(topic) <= 249


def test_a_lane_names_its_topic_and_its_group():
    lane = Lane(Channel.EMAIL, Priority.HIGH)
    assert (lane.topic, lane.group) == ("nofy.deliveries.email.high.v1", "nofy-email-high")


def test_nothing_of_a_channel_a_class_or_a_priority_is_forgotten():
    assert set(PROVIDER_OF) == set(ADDRESS_FIELD) == set(Channel)
    assert set(PROVIDER_OF.values()) == set(Provider)
    assert set(PRIORITY_OF) == set(MessageClass)
    assert set(POLICIES) == set(Priority)
