"""The shape of the overview's figures, for the OpenAPI document alone."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from nofy.domain.routing import Channel, Priority
from nofy.domain.statistics import Range
from nofy.runtime.api.schemas import Schema


class Counts(Schema):
    """What happened to deliveries."""

    accepted: int
    sent: int
    failed: int = Field(description="Given up, or left as unknown")
    retried: int = Field(description="Attempts that failed and were tried again later")
    cancelled: int
    expired: int
    redriven: int
    corrected: int = Field(description="Counted as failed before, and as sent when that turned out to be true")


class TimeToProvider(Schema):
    """From when a delivery was due to its provider's answer, for what was sent; at most 9 % off. Null: nothing was."""

    p50_ms: int | None
    p99_ms: int | None


class StatisticsBucket(Schema):
    """What happened from ``at`` for a step; channels on which nothing did are left out."""

    at: datetime
    channels: dict[Channel, Counts]
    time_to_provider: TimeToProvider


class ChannelStatistics(Schema):
    """One channel over the whole range."""

    totals: Counts
    success_rate: float | None
    time_to_provider: TimeToProvider


class Present(Schema):
    """How many deliveries are where, now; each but ``scheduled`` is counted up to 100,000 only."""

    scheduled: int
    queued: int
    sending: int
    retrying: int
    held: int


class LaneBacklog(Schema):
    """What is due in a lane and not begun."""

    channel: Channel
    priority: Priority
    queued: int
    oldest_seconds: int = Field(description="How long ago the oldest of it was due")


class IntegrationHealth(Schema):
    """Whether an integration can send."""

    id: str
    name: str
    channel: Channel
    held: bool = Field(description="Its provider refused the credential: deliveries wait for another one")
    held_deliveries: int


class Statistics(Schema):
    """A project's figures over a range, and where things are now."""

    range: Range
    step_seconds: int
    buckets: list[StatisticsBucket]
    totals: Counts
    success_rate: float | None = Field(description="Sent among sent and failed; null where neither happened")
    time_to_provider: TimeToProvider
    channels: dict[Channel, ChannelStatistics]
    now: Present
    lanes: list[LaneBacklog]
    dead_letters_open: int
    integrations: list[IntegrationHealth]
