"""Another address, or other content, for a delivery that is sent again: judged as a new notification's would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nofy.domain.content import content_errors, render
from nofy.domain.errors import FieldError
from nofy.domain.notification import ADDRESS_FIELD, routing_errors

if TYPE_CHECKING:
    from nofy.domain.notification import Principal
    from nofy.domain.routing import Channel


@dataclass(frozen=True, slots=True)
class Edit:
    """What takes the place of a delivery's own; ``content`` is rendered. None leaves it as it is."""

    destination: str | None = None
    content: dict[str, Any] | None = None


def edited(channel: Channel, to: dict[str, Any] | None, content: dict[str, Any] | None) -> Edit:
    """The edit that :func:`edit_errors` found nothing wrong with."""
    return Edit(
        destination=to[ADDRESS_FIELD[channel]] if to else None,
        content=render(channel, content) if content is not None else None,
    )


def edit_errors(
    channel: Channel, to: dict[str, Any] | None, content: dict[str, Any] | None, principal: Principal
) -> list[FieldError]:
    """Everything that is wrong with an edit whose single fields are well-formed."""
    errors = _address_errors(channel, to, principal) if to is not None else []
    return errors + (content_errors(channel, content) if content is not None else [])


def _address_errors(channel: Channel, to: dict[str, Any], principal: Principal) -> list[FieldError]:
    integration = principal.integration_for(channel)
    if integration and integration.fixed_destination:
        return [FieldError("/to", "fixed_destination", "an incoming webhook posts into one channel, whatever is asked")]
    own = ADDRESS_FIELD[channel]
    others = [each for each in to if each != own and to[each] is not None]
    missing = [each for each in routing_errors(0, channel, to, principal) if each.path.startswith("/to")]
    return missing + [FieldError(f"/to/{each}", "other_channel", f"this is a delivery on {channel}") for each in others]
