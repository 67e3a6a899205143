"""Scripted faults: the recipient of a message says how the provider misbehaves.

The same words on every channel
-------------------------------

=============  ============================================================  =========  ====================
word           what the provider does                                        how often  message is stored
=============  ============================================================  =========  ====================
``503``        answers that HTTP status (500, 502, 503 or 504)               once       no
``html503``    503 with an HTML page, as a proxy in front would              once       no
``throttleN``  throttles; says "N seconds" where the provider says so        once       no
``reset``      resets the connection before it stored anything               once       no
``hangup``     stores the message, then closes without an answer             once       **yes**
``internal``   stores the message, then answers with its internal error      once       **yes**
``slowN``      answers properly, after N seconds (``slow0.2`` is fine)       always     yes
``hang``       never answers                                                 always     no
``reject``     refuses the recipient                                         always     no
``content``    refuses the content                                           always     no
``config``     refuses the credential                                        always     no
``error:CODE`` answers that error of its own (``error:not_in_channel``,      always     no
               ``error:not_enough_credits``, ``error:131049``)
``ok``         accepts (to stand between two faults)                         once       yes
=============  ============================================================  =========  ====================

``xN`` after a word says how often, ``always`` says for good: ``503x2``, ``throttle3x2``, ``503always``,
``rejectx1``. Words make a sequence; when it is over, the provider accepts. Throttles of WhatsApp carry no
seconds and Brevo's are in ``x-sib-ratelimit-reset``, because that is how the real ones are.

Where the words stand
---------------------

* E-mail: plus tags. ``ada+503x2@example.com``; ``ada+throttle3+hangup@example.com`` is a sequence. Tags that
  are no words (``ada+news@example.com``) mean nothing.
* Slack: at the end of the channel or user id, in capitals: ``C0DEMO503X2``, ``U0ADATHROTTLE3``,
  ``C0DEMO503X1HANGUP``. A bare status needs its count (``503X1``), so that ids ending in digits stay healthy.
  Besides, ``C404...`` is ``channel_not_found`` and ``CARCHIVED...`` is ``is_archived``. Incoming webhooks
  carry the words in the middle part of their path: ``/services/T0LOCAL/B0LOCAL503X2/nofylocal``.
* WhatsApp: phone numbers hold no words, so the numbers +1 555 0199 NNN have meanings: :data:`PHONE_WORDS`.
* Anybody, at run time: ``POST /_control/faults`` (see :mod:`local.simulators.control`), ``"recipient": "*"``
  for a provider that is down for everybody.

Counting is per message wherever the call carries a stable correlation (``X-Mailin-custom`` or
``idempotencyKey``, ``biz_opaque_callback_data``, ``metadata.event_payload.delivery_id`` or
``notification_id``), else per recipient: two messages to ``ada+503x2@example.com`` fail twice *each*.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from local.simulators.credentials import SLACK_WEBHOOK_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EVERYBODY: Final = "*"

# Remembered (recipient, message) counters. The oldest is forgotten first; a message is retried for hours, not
# for a hundred thousand other messages.
COUNTERS_KEPT: Final = 100_000

_STANDING: Final = frozenset({"slow", "hang", "reject", "content", "config", "error"})

_WORD: Final = (
    r"(?:(?P<status>50[0234])|(?P<html>html503)|throttle(?P<wait>\d{1,5})?|slow(?P<slow>\d{1,3}(?:\.\d{1,3})?)"
    r"|(?P<plain>reset|hangup|internal|hang|reject|content|config|ok)|error:(?P<error>[a-z0-9_]{1,64}?))"
)
_COUNT: Final = r"(?:x(?P<times>\d{1,4})|(?P<always>always))?"
_STEP: Final = re.compile(_WORD + _COUNT, re.IGNORECASE)

# The last word of a Slack id. Names sort longest first, so that ...HANGUP is not read as HANG and UP.
_SLACK_TAIL: Final = re.compile(
    r"(?:50[0234](?:X\d{1,4}|ALWAYS)"
    r"|(?:HTML503|THROTTLE\d{0,5}|SLOW\d{1,3}|RESET|HANGUP|INTERNAL|HANG|REJECT|CONTENT|CONFIG)(?:X\d{1,4}|ALWAYS)?)$"
)

# +1 555 0199 NNN -> words. 555-01xx numbers are reserved for fiction: nobody can be reached by accident.
PHONE_PREFIX: Final = "15550199"
PHONE_WORDS: Final[dict[str, str]] = {
    "500": "500",
    "503": "503x2",
    "599": "503always",
    "504": "html503",
    "429": "throttle",
    "456": "error:131056x1",  # the pair limit: one message too many from this number to this person
    "403": "reject",
    "400": "content",
    "401": "config",
    "447": "error:131047",  # the 24 hour window is closed: free text is refused, templates are accepted
    "449": "error:131049",  # withheld, "healthy ecosystem engagement"
    "520": "hangup",
    "521": "reset",
    "550": "internal",
    "505": "slow5",
    "560": "hang",
}
# This number's fault is a property of the person, not of the call: WhatsApp itself looks at it.
CLOSED_WINDOW: Final = PHONE_PREFIX + "447"


class UnknownWord(ValueError):  # noqa: N818 - reads as what happened
    """A script holds something that is not in the language above."""


@dataclass(frozen=True, slots=True)
class Step:
    """One word with its argument. `times` None means for good."""

    word: str
    times: int | None = 1
    seconds: float = 0.0
    status: int = 0
    code: str = ""

    def __str__(self) -> str:
        word = f"error:{self.code}" if self.word == "error" else str(self.status or self.word)
        number = f"{self.seconds:g}" if self.seconds else ""
        return word + number + ("always" if self.times is None else f"x{self.times}")


OK: Final = Step("ok")


def read_step(text: str) -> Step:
    """One word of the language; raises :class:`UnknownWord`."""
    if not (match := _STEP.fullmatch(text.strip())):
        raise UnknownWord(text)
    found = {name: value.lower() for name, value in match.groupdict().items() if value is not None}
    step = _step_of(found)
    if "always" in found or ("times" not in found and step.word in _STANDING):
        return _times(step, None)
    return _times(step, int(found.get("times", "1")))


def _step_of(found: dict[str, str]) -> Step:
    if "status" in found:
        return Step("status", status=int(found["status"]))
    if "html" in found:
        return Step("html503")
    if "slow" in found:
        return Step("slow", seconds=float(found["slow"]))
    if "error" in found:
        return Step("error", code=found["error"])
    if "plain" in found:
        return Step(found["plain"])
    return Step("throttle", seconds=float(found.get("wait") or 0))


def _times(step: Step, times: int | None) -> Step:
    return Step(step.word, times, step.seconds, step.status, step.code)


def script_of(channel: str, recipient: str) -> tuple[Step, ...]:
    """What the recipient's own address asks for; empty for nearly everybody."""
    if channel == "email":
        return _in_email(recipient)
    if channel == "slack":
        return _in_slack_id(recipient)
    if channel == "whatsapp" and recipient.startswith(PHONE_PREFIX) and recipient != CLOSED_WINDOW:
        word = PHONE_WORDS.get(recipient.removeprefix(PHONE_PREFIX))
        return (read_step(word),) if word else ()
    return ()


def _in_email(recipient: str) -> tuple[Step, ...]:
    tags = recipient.rpartition("@")[0].split("+")[1:]
    return tuple(read_step(tag) for tag in tags if _STEP.fullmatch(tag))


def _in_slack_id(recipient: str) -> tuple[Step, ...]:
    rest, words = recipient.removeprefix(SLACK_WEBHOOK_SERVICE), list[str]()
    while match := _SLACK_TAIL.search(rest):
        words.insert(0, match.group())
        rest = rest[: match.start()]
    return tuple(read_step(word) for word in words)


def nth(script: Sequence[Step], calls_before: int) -> Step:
    """The step for a call that comes after `calls_before` others; OK when the script is over."""
    for step in script:
        if step.times is None or calls_before < step.times:
            return step
        calls_before -= step.times
    return OK


@dataclass(frozen=True, slots=True)
class Override:
    """A script set at run time, which replaces what the address says; an empty one means "healthy now"."""

    script: tuple[Step, ...]
    per_message: bool = True

    def shown(self) -> dict[str, Any]:
        per = "message" if self.per_message else "recipient"
        return {"script": [str(step) for step in self.script], "per": per}


class FaultBook:
    """Which fault comes next for whom. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._overrides: dict[tuple[str, str], Override] = {}
        self._calls: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def next(self, channel: str, recipient: str, correlation: str) -> Step:
        """The step for this call, counted."""
        with self._lock:
            override = self._override(channel, recipient)
            script = script_of(channel, recipient) if override is None else override.script
            if not script:
                return OK
            per_message = override is None or override.per_message
            return nth(script, self._count(channel, recipient, correlation if per_message else ""))

    def set(self, recipient: str, words: Iterable[str], channel: str = EVERYBODY, per: str = "message") -> Override:
        """Replace what happens to `recipient` from now on; counting starts anew."""
        override = Override(tuple(read_step(word) for word in words), per == "message")
        with self._lock:
            self._overrides[(channel, folded(recipient))] = override
            self._forget_counts(recipient)
        return override

    def heal(self, recipient: str) -> None:
        """The fault is gone, also one the address asks for. With ``*``, for everybody."""
        with self._lock:
            if recipient == EVERYBODY:
                self._overrides.clear()
            else:
                for key in [key for key in self._overrides if key[1] == folded(recipient)]:
                    del self._overrides[key]
            self._overrides[(EVERYBODY, folded(recipient))] = Override(())
            self._forget_counts(recipient)

    def clear(self) -> None:
        """Back to the beginning: addresses mean what they say, nothing has been counted."""
        with self._lock:
            self._overrides.clear()
            self._calls.clear()

    def shown(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"recipient": recipient, "channel": channel, **override.shown()}
                for (channel, recipient), override in self._overrides.items()
            ]

    def _override(self, channel: str, recipient: str) -> Override | None:
        """The most particular one: this recipient before everybody, this channel before every channel."""
        for who in (folded(recipient), EVERYBODY):
            for where in (channel, EVERYBODY):
                if (override := self._overrides.get((where, who))) is not None:
                    return override
        return None

    def _count(self, channel: str, recipient: str, correlation: str) -> int:
        key = (channel, folded(recipient), correlation)
        before = self._calls.pop(key, 0)
        self._calls[key] = before + 1
        if len(self._calls) > COUNTERS_KEPT:
            self._calls.popitem(last=False)
        return before

    def _forget_counts(self, recipient: str) -> None:
        who = folded(recipient)
        for key in [key for key in self._calls if who in (key[1], EVERYBODY)]:
            del self._calls[key]


def folded(recipient: str) -> str:
    """One spelling per recipient: e-mail addresses ignore case here, phone numbers everything but digits."""
    if "@" in recipient:
        return recipient.lower()
    if re.fullmatch(r"\+?[\d ()-]{7,}", recipient):
        return re.sub(r"\D", "", recipient)
    return recipient
