"""What Brevo demands of ``POST /v3/smtp/email`` (reference, 2.1), as one list of checks in its own order."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

NAME_LIMIT: Final = 70
RECIPIENTS_LIMIT: Final = 2_000
RECIPIENTS_PER_VERSION: Final = 99
SIZE_LIMIT: Final = 20 * 1024 * 1024
SCHEDULE_LIMIT: Final = timedelta(hours=72)
# From the API reference of sendTransacEmail.
ATTACHMENT_TYPES: Final = frozenset(
    "xlsx xls ods docx docm doc csv pdf txt gif jpg jpeg png tif tiff rtf bmp cgm css shtml html htm zip xml "
    "ppt pptx tar ez ics mobi msg pub eps odt mp3 m4a m4v wma ogg flac wav aif aifc aiff mp4 mov avi mkv mpeg "
    "mpg wmv pkpass xlsm".split()
)
TEMPLATES: Final = frozenset({1, 2})  # the ids of the templates this account has

_EMAIL: Final = re.compile(r"[^\s@<>,;]+@[^\s@<>,;.]+(\.[^\s@<>,;.]+)+")
_CONTROL: Final = re.compile(r"[\r\n\0]")

Body = Mapping[str, Any]


class Invalid(ValueError):  # noqa: N818 - it is the request that is in error
    """The request breaks a rule; `code` is Brevo's, the text its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _missing(name: str) -> Invalid:
    return Invalid("missing_parameter", f"{name} is missing")


def _invalid(message: str) -> Invalid:
    return Invalid("invalid_parameter", message)


def check_email(body: Body, now: float) -> None:
    """Raises :class:`Invalid`."""
    _check_sender(body)
    _check_recipients(body)
    _check_content(body)
    _check_headers(body)
    _check_tags(body)
    _check_attachments(body)
    _check_schedule(body, now)


def _check_sender(body: Body) -> None:
    sender = body.get("sender")
    if sender is None and "templateId" in body:
        return
    if sender is None:
        raise _missing("sender")
    if not isinstance(sender, dict):
        raise _invalid("sender should be an object")
    if not (_is_email(sender.get("email")) or isinstance(sender.get("id"), int)):
        raise _invalid("valid sender email required")
    _check_name(sender, "sender")


def _check_recipients(body: Body) -> None:
    if "messageVersions" in body:
        _check_versions(body)
    else:
        _check_people(body, "to", required=True)
    for name in ("cc", "bcc"):
        _check_people(body, name)
    reply_to = body.get("replyTo")
    if reply_to is not None and not (isinstance(reply_to, dict) and _is_email(reply_to.get("email"))):
        raise _invalid("email is not valid in replyTo")


def _check_versions(body: Body) -> None:
    versions = body["messageVersions"]
    if not isinstance(versions, list) or not versions or not all(isinstance(item, dict) for item in versions):
        raise _invalid("messageVersions should be a non-empty array of objects")
    for version in versions:
        _check_people(version, "to", required=True)
        for name in ("subject", "htmlContent", "textContent"):
            if name in version and name not in body:
                raise _missing(name)
        if _recipients(version) > RECIPIENTS_PER_VERSION:
            raise _invalid(f"a version has at most {RECIPIENTS_PER_VERSION} recipients")
    if sum(map(_recipients, versions)) > RECIPIENTS_LIMIT:
        raise _invalid(f"a request has at most {RECIPIENTS_LIMIT} recipients")


def _recipients(version: Body) -> int:
    return sum(len(version.get(name) or ()) for name in ("to", "cc", "bcc"))


def _check_people(body: Body, name: str, *, required: bool = False) -> None:
    people = body.get(name)
    if people is None and not required:
        return
    if people is None:
        raise _missing(name)
    if not isinstance(people, list) or not people:
        raise _invalid(f"{name} should be a non-empty array")
    for person in people:
        if not isinstance(person, dict) or not _is_email(person.get("email")):
            raise _invalid(f"email is not valid in {name}")
        _check_name(person, name)


def _check_name(person: Body, where: str) -> None:
    name = person.get("name", "")
    if not isinstance(name, str) or len(name) > NAME_LIMIT or _CONTROL.search(name):
        raise _invalid(f"name is not valid in {where}")


def _check_content(body: Body) -> None:
    """A template supplies both; without one, text alone is not enough."""
    if "templateId" in body:
        if body["templateId"] not in TEMPLATES:
            raise Invalid("document_not_found", "Template not found")
        return
    for name in ("subject", "htmlContent"):
        if not body.get(name):
            raise _missing(name)
        if not isinstance(body[name], str):
            raise _invalid(f"{name} is not valid")
    if _CONTROL.search(body["subject"]):
        raise _invalid("subject is not valid")


def _check_headers(body: Body) -> None:
    headers = body.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise _invalid("headers should be an object of strings")
    for name, value in headers.items():
        if _CONTROL.search(name + value):
            raise _invalid(f"{name} is not valid in headers")
        if name.lower().replace("-", "") == "idempotencykey" and not _is_uuid(value):
            raise _invalid("idempotencyKey should be a valid UUID")


def _check_tags(body: Body) -> None:
    tags = body.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise _invalid("tags should be an array of strings")


def _check_attachments(body: Body) -> None:
    attachments = body.get("attachment", [])
    if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
        raise _invalid("attachment should be an array of objects")
    if sum(map(_attachment_size, attachments)) > SIZE_LIMIT:
        raise _invalid("the message is larger than 20 MB")


def _attachment_size(attachment: Body) -> int:
    """Checks one attachment; a linked one counts nothing here."""
    if url := attachment.get("url"):
        if not re.match(r"https?://", str(url)):
            raise _invalid("attachment url should be absolute")
        return 0
    if not attachment.get("name"):
        raise _missing("name in attachment")
    if str(attachment["name"]).rpartition(".")[2].lower() not in ATTACHMENT_TYPES:
        raise _invalid(f"Unsupported file format for {attachment['name']}")
    try:
        return len(base64.b64decode(str(attachment.get("content", "")), validate=True))
    except binascii.Error as error:
        raise _invalid("attachment content is not valid base64") from error


def _check_schedule(body: Body, now: float) -> None:
    if "scheduledAt" not in body:
        return
    try:
        at = datetime.fromisoformat(str(body["scheduledAt"]))
    except ValueError as error:
        raise _invalid("scheduledAt is not a valid date-time") from error
    if at.tzinfo is None:
        raise _invalid("scheduledAt needs a time zone")
    if at.timestamp() > now + SCHEDULE_LIMIT.total_seconds():
        raise Invalid("out_of_range", "scheduledAt should be within 72 hours")


def _is_email(value: Any) -> bool:
    return isinstance(value, str) and _EMAIL.fullmatch(value) is not None


def _is_uuid(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False
