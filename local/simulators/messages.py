"""What the providers took in (and what they refused): the messages behind the inbox page."""

from __future__ import annotations

import itertools
import json
import threading
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from local.simulators.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MESSAGES_KEPT: Final = 5_000
# Refusals have a shelf of their own: a provider that is down must not push everything received out of sight.
REFUSALS_KEPT: Final = 1_000
# A message is 256 KB at most in Nofy, and 5,000 such would be more than a laptop likes: the oldest go first.
BYTES_KEPT: Final = 96 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """One message as its provider saw it.

    `content` is what the page draws, in the channel's own shape; `answer` is what the provider said to the call.
    """

    seq: int
    channel: str
    provider: str
    to: str
    correlation: str
    idempotency_key: str
    received_at: str
    subject: str
    text: str
    outcome: str
    accepted: bool
    status: int | None
    why: str
    provider_id: str
    answer: str = ""
    content: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"msg_{self.seq:08d}"

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, **asdict(self)}

    def holds(self, needle: str) -> bool:
        """Whether the words stand anywhere a person would look: who, what about, what, which one."""
        haystack = (self.to, self.subject, self.text, self.correlation, self.provider_id, self.why)
        return any(needle in part.casefold() for part in haystack)


@dataclass(frozen=True, slots=True)
class Search:
    """Which messages to show. `after` and `before` are sequence numbers, both exclusive."""

    channel: str = ""
    words: str = ""
    accepted: bool | None = True
    after: int | None = None
    before: int | None = None
    limit: int = 1_000

    def wants(self, message: Message) -> bool:
        return (
            (not self.channel or message.channel == self.channel)
            and (self.accepted is None or message.accepted == self.accepted)
            and (self.after is None or message.seq > self.after)
            and (self.before is None or message.seq < self.before)
            and (not self.words or message.holds(self.words.casefold()))
        )


class _Shelf:
    """The newest messages, bounded by number and by size."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._messages: deque[tuple[Message, int]] = deque()
        self._bytes = 0

    def add(self, message: Message) -> None:
        size = len(json.dumps(message.content)) + len(message.text) + len(message.answer)
        self._messages.append((message, size))
        self._bytes += size
        while len(self._messages) > self._keep or (self._bytes > BYTES_KEPT and len(self._messages) > 1):
            self._bytes -= self._messages.popleft()[1]

    def __iter__(self) -> Any:
        return (message for message, _ in self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    def clear(self) -> None:
        self._messages.clear()
        self._bytes = 0


class Inbox:
    """All messages, and a way to wait for the next one."""

    def __init__(self, path: Path | None = None) -> None:
        self._arrived = threading.Condition()
        self._journal = Journal(path, MESSAGES_KEPT + REFUSALS_KEPT)
        self._accepted, self._refused = _Shelf(MESSAGES_KEPT), _Shelf(REFUSALS_KEPT)
        self._last = 0
        self._clears = 0
        for row in self._journal.records():
            self._put(Message(**row))
        self._numbers = itertools.count(self._last + 1)

    def add(self, **fields: Any) -> Message:
        with self._arrived:
            message = Message(seq=next(self._numbers), **fields)
            self._put(message)
            self._journal.append(asdict(message))
            self._arrived.notify_all()
            return message

    def _put(self, message: Message) -> None:
        (self._accepted if message.accepted else self._refused).add(message)
        self._last = max(self._last, message.seq)

    def find(self, search: Search) -> list[Message]:
        """In order of arrival. The newest `limit` of them, or the first `limit` after `search.after`."""
        with self._arrived:
            found = [message for message in self._shelves(search.accepted) if search.wants(message)]
        return found[: search.limit] if search.after is not None else found[-search.limit :]

    def accepted_by(self, provider: str) -> list[Message]:
        with self._arrived:
            return [message for message in self._accepted if message.provider == provider]

    def wait(self, after: int, clears: int, timeout: float) -> tuple[list[Message], int]:
        """What arrived after `after`, within `timeout` seconds; and how often the inbox was emptied."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._last > after or self._clears != clears, timeout)
            seen = self._clears
        return self.find(Search(accepted=None, after=after)), seen

    def counts(self) -> dict[str, int]:
        with self._arrived:
            by_channel = {"slack": 0, "email": 0, "whatsapp": 0}
            for message in self._accepted:
                by_channel[message.channel] += 1
            return {**by_channel, "accepted": len(self._accepted), "refused": len(self._refused)}

    @property
    def last(self) -> int:
        return self._last

    @property
    def clears(self) -> int:
        return self._clears

    def clear(self) -> None:
        """Empty it. Numbers go on counting, so that a page's "after" never points at another message."""
        with self._arrived:
            self._accepted.clear()
            self._refused.clear()
            self._journal.clear()
            self._clears += 1
            self._arrived.notify_all()

    def wake(self) -> None:
        """Let those who wait look again (the server is going down)."""
        with self._arrived:
            self._clears += 1
            self._arrived.notify_all()

    def close(self) -> None:
        self._journal.close()

    def _shelves(self, accepted: bool | None) -> Iterable[Message]:
        if accepted is None:
            return sorted([*self._accepted, *self._refused], key=lambda message: message.seq)
        return list(self._accepted if accepted else self._refused)
