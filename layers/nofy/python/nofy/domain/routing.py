"""Which way a delivery travels: channels, priorities, lanes and the topics made from them.

Everything that names a topic or a consumer group (the dispatcher, the CDK topology, the local bridge, the
tests) derives it from here, so a channel added to :class:`Channel` gets its lanes, topics, consumers, dead
letter routes and alarms in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """Where a person is reached."""

    SLACK = "slack"
    EMAIL = "email"
    WHATSAPP = "whatsapp"


class Provider(StrEnum):
    """Who carries a channel's messages; each provider has one sender function."""

    SLACK = "slack"
    BREVO = "brevo"
    WHATSAPP = "whatsapp"


class Priority(StrEnum):
    """The lane a delivery travels in; lanes never wait for one another."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class MessageClass(StrEnum):
    """What a message is for; its priority follows from it unless the caller gives one."""

    CRITICAL = "critical"
    TRANSACTIONAL = "transactional"
    BULK = "bulk"


PROVIDER_OF: dict[Channel, Provider] = {
    Channel.SLACK: Provider.SLACK,
    Channel.EMAIL: Provider.BREVO,
    Channel.WHATSAPP: Provider.WHATSAPP,
}

# Providers that refuse a second call under one idempotency key, so that asking again after a lost answer is safe.
IDEMPOTENT: frozenset[Provider] = frozenset({Provider.BREVO})

PRIORITY_OF: dict[MessageClass, Priority] = {
    MessageClass.CRITICAL: Priority.HIGH,
    MessageClass.TRANSACTIONAL: Priority.NORMAL,
    MessageClass.BULK: Priority.LOW,
}


@dataclass(frozen=True, slots=True)
class Lane:
    """One channel at one priority: a Redis schedule, a Kafka topic and a consumer group of its own."""

    channel: Channel
    priority: Priority

    @property
    def name(self) -> str:
        return f"{self.channel}.{self.priority}"

    @property
    def topic(self) -> str:
        return f"nofy.deliveries.{self.channel}.{self.priority}.v1"

    @property
    def group(self) -> str:
        return f"nofy-{self.channel}-{self.priority}"


# High before low: the dispatcher serves lanes in this order in every turn.
LANES: tuple[Lane, ...] = tuple(Lane(channel, priority) for priority in Priority for channel in Channel)

ACKS_TOPIC = "nofy.acks.v1"
ACKS_GROUP = "nofy-acks"
DLQ_TOPIC = "nofy.dlq.v1"
DLQ_GROUP = "nofy-dlq"
ESM_FAILURES_TOPIC = "nofy.esm-failures.v1"
ESM_FAILURES_GROUP = "nofy-esm-failures"

TOPICS: tuple[str, ...] = (*(lane.topic for lane in LANES), ACKS_TOPIC, DLQ_TOPIC, ESM_FAILURES_TOPIC)


def priority_for(message_class: MessageClass, asked: Priority | None) -> Priority:
    """The caller's priority if one was given, else the one its class implies."""
    return asked or PRIORITY_OF[message_class]
