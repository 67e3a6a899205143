"""From a body's JSON to a draft, or to every error in it at once.

Pydantic and the models are half of what the producer would load, and most routes read no body: the first request that
has something to be read loads them, or Lambda's init phase where nearly every request will (docs/adr/0009).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from nofy.domain.content import content_errors
from nofy.domain.edit import Edit, edit_errors, edited
from nofy.domain.errors import FieldError, InvalidRequestError
from nofy.domain.notification import Draft, Principal, channel_errors, routing_errors, time_errors
from nofy.domain.routing import Channel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound="BaseModel")

# Pydantic's error types that have a name of their own in our errors; all others are "invalid".
_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "timezone_aware": "offset_missing",
    "enum": "unknown_value",
    "too_long": "too_long",
    "too_short": "required",
    "string_too_long": "too_long",
}


def read(kind: type[Model], value: Any, prefix: str = "") -> Model:
    """An instance of a model; InvalidRequestError with every field error, their paths after ``prefix``."""
    from pydantic import ValidationError

    try:
        return kind.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise InvalidRequestError([_field_error(each, prefix) for each in details]) from None


def read_notification(body: Any, principal: Principal, now: datetime) -> Draft:
    """The draft of one notification; InvalidRequestError with every field error at once where a field is ill-formed.

    Where all are well-formed, what is wrong between them is ``plan``'s to say: it renders the content to know.
    """
    from pydantic import ValidationError

    from nofy.runtime.api.models import NotificationRequest

    try:
        return NotificationRequest.model_validate(body).draft()
    except ValidationError as error:
        shape = error.errors(include_url=False)
        raise InvalidRequestError(_all_errors(body, shape, principal, now)) from None


def read_edit(body: Any, channel: Channel, principal: Principal) -> Edit:
    """The edit of one delivery; InvalidRequestError with every field error at once."""
    from pydantic import ValidationError

    from nofy.runtime.api.dead_letter_models import EditRequest

    errors: list[FieldError] = []
    sound = body
    try:
        EditRequest.model_validate(body)
    except ValidationError as error:
        shape = error.errors(include_url=False)
        errors = [_field_error(each) for each in shape]
        sound = _without(body, [each["loc"] for each in shape]) if isinstance(body, dict) else {}
    to, content = (each if isinstance(each, dict) else None for each in (sound.get("to"), sound.get("content")))
    wrong = {each.path for each in errors}
    errors += [each for each in edit_errors(channel, to, content, principal) if not _told(each, wrong)]
    if errors:
        raise InvalidRequestError(errors)
    asked = EditRequest.model_validate(body)
    return edited(
        channel,
        asked.to.model_dump(exclude_none=True) if asked.to else None,
        asked.content.model_dump(exclude_none=True, exclude_defaults=True) if asked.content else None,
    )


def _all_errors(body: Any, shape: Sequence[ErrorDetails], principal: Principal, now: datetime) -> list[FieldError]:
    """The errors of single fields, and those between fields as far as the well-formed ones allow to tell."""
    errors = [_field_error(each) for each in shape]
    if isinstance(body, dict):
        wrong = {each.path for each in errors}
        sound = _without(body, [each["loc"] for each in shape])
        errors += [each for each in _between(sound, principal, now) if not _told(each, wrong)]
    return errors


def _told(error: FieldError, wrong: set[str]) -> bool:
    """Whether a field that is wrong by itself already accounts for this error."""
    return error.path in wrong or (
        error.path.startswith("/content") and any(path.startswith("/content") for path in wrong)
    )


def _between(body: dict[str, Any], principal: Principal, now: datetime) -> list[FieldError]:
    """What the domain says of a body whose ill-formed leaves were taken out."""
    to, content = body.get("to"), body.get("content")
    errors = time_errors(_time(body.get("send_at")), _time(body.get("expires_at")), now)
    entries = body.get("channels")
    channels = [_channel(each) for each in entries] if isinstance(entries, list) else []
    errors += channel_errors(channels)
    for index, channel in enumerate(channels):
        if channel is None:
            continue
        if isinstance(to, dict) or to is None:
            errors += routing_errors(index, channel, to or {}, principal)
        if isinstance(content, dict):
            errors += content_errors(channel, content)
    return errors


def _channel(entry: Any) -> Channel | None:
    name = entry.get("channel") if isinstance(entry, dict) else entry
    return Channel(name) if isinstance(name, str) and name in set(Channel) else None


def _time(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _without(body: dict[str, Any], wrong: Sequence[tuple[str | int, ...]]) -> dict[str, Any]:
    """A copy in which what is wrong by itself is None, so that lists keep their indexes."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    for path in wrong:
        _blank(copy, path)
    return copy


def _blank(value: Any, path: tuple[str | int, ...]) -> None:
    for step in path[:-1]:
        value = _child(value, step)
    last = path[-1] if path else None
    if isinstance(value, dict) and last in value:
        value[last] = "?" if path[0] == "to" else None  # a wrong address is still an address that was given
    elif isinstance(value, list) and isinstance(last, int) and last < len(value):
        value[last] = None


def _child(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(step))
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _field_error(detail: ErrorDetails, prefix: str = "") -> FieldError:
    kind, steps = detail["type"], list(detail["loc"])
    if len(steps) == 3 and steps[0] == "channels" and isinstance(detail["input"], str):
        steps.pop()  # "sms" is short for {"channel": "sms"}: its caller knows it as /channels/0
    path = prefix + "".join(f"/{_escape(step)}" for step in steps)
    return FieldError(path, _CODES.get(kind, "invalid"), _message(kind, steps) or detail["msg"])


def _message(kind: str, steps: list[str | int]) -> str | None:
    """Words for a person, where Pydantic would quote a regular expression or talk of Python."""
    if kind == "string_pattern_mismatch":
        return _FORMS.get(str(steps[-1]), "has a form, or characters, that cannot be sent")
    return _MESSAGES.get(kind)


_FORMS = {
    "email": "not an e-mail address",
    "phone": "not a phone number in E.164, such as +15550100001",
    "slack_channel": "not the id of a Slack channel or user",
    "subject": "a subject is one line without control characters",
    "url": "not an https address",
}
_MESSAGES = {
    "missing": "is required",
    "extra_forbidden": "there is no such field",
    "timezone_aware": "needs an offset from UTC, such as Z or +01:00",
    "model_type": "must be a JSON object",
}


def _escape(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")
