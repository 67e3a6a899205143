"""The shape of requests about dead letters."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from nofy.domain.dead_letters import Standing
from nofy.domain.ids import Prefix, decode
from nofy.domain.routing import Channel
from nofy.ports.reading import DeadLetterFilter
from nofy.runtime.api.models import LINE, Content, Model, PageQuery, Time, To

# Redriven or discarded by one request, at most.
MAX_LETTERS = 1_000

DeadLetterId = Annotated[str, StringConstraints(pattern=r"^dlt_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
Reason = Annotated[str, StringConstraints(pattern=LINE, min_length=1, max_length=255)]


class DeadLettersQuery(PageQuery):
    """Which dead letters to list."""

    status: Standing | None = None
    channel: Channel | None = None
    fingerprint: Annotated[str, StringConstraints(pattern=LINE, max_length=64)] | None = None
    notification: Annotated[str, StringConstraints(pattern=LINE, max_length=64)] | None = Field(
        None, description="Of this notification's deliveries alone"
    )


class DeadLetterSelection(Model):
    """Which open dead letters are meant: those to which everything applies that is named."""

    fingerprint: Annotated[str, StringConstraints(pattern=LINE, min_length=1, max_length=64)] | None = None
    channel: Channel | None = None
    ids: list[DeadLetterId] | None = Field(None, min_length=1, max_length=MAX_LETTERS)
    created_before: Time | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if (self.fingerprint, self.channel, self.ids, self.created_before) == (None,) * 4:
            raise PydanticCustomError("missing", "name a fingerprint, a channel, ids or created_before")
        return self

    def wanted(self) -> DeadLetterFilter:
        """The selection as the store's own type."""
        ids = None if self.ids is None else tuple(filter(None, (decode(Prefix.DEAD_LETTER, each) for each in self.ids)))
        return DeadLetterFilter(None, self.channel, self.fingerprint, ids, self.created_before)


class RedriveRequest(DeadLetterSelection):
    """So many at most, so many a second; those past their expiry get a new lifetime unless they are skipped."""

    max: int = Field(ge=1, le=MAX_LETTERS)
    per_second: float = Field(10, ge=0.1, le=1_000)
    skip_expired: bool = False


class DiscardRequest(DeadLetterSelection):
    """So many at most, and why."""

    max: int = Field(ge=1, le=MAX_LETTERS)
    reason: Reason


class DiscardOneRequest(Model):
    """Why nobody will send it."""

    reason: Reason


class EditRequest(Model):
    """Another address on its channel, or other content, for a delivery that is sent again."""

    to: To | None = None
    content: Content | None = None
