"""The ledger: every send a provider was asked for, whatever came of it.

It exists so that a test can count independently of Nofy: "how often was this delivery given to the provider,
and how often did the provider say yes" is answered here and nowhere else.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from local.simulators.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

CALLS_KEPT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `outcome` is a word of :mod:`local.simulators.sending`, `why` the provider's own error."""

    seq: int
    time: str
    provider: str
    channel: str
    recipient: str
    correlation: str
    idempotency_key: str
    outcome: str
    accepted: bool
    status: int | None
    why: str
    message_id: str | None


class Ledger:
    """The last :data:`CALLS_KEPT` calls, oldest first."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._journal = Journal(path, CALLS_KEPT)
        self._calls: deque[Call] = deque((Call(**row) for row in self._journal.records()), maxlen=CALLS_KEPT)
        self._numbers = itertools.count(self._calls[-1].seq + 1 if self._calls else 1)

    def record(self, **call: Any) -> Call:
        with self._lock:
            entry = Call(seq=next(self._numbers), **call)
            self._calls.append(entry)
            self._journal.append(asdict(entry))
            return entry

    def since(self, seq: int, **only: str) -> list[dict[str, Any]]:
        """Calls after `seq`; `only` narrows by equality, for example ``recipient="ada@example.com"``."""
        with self._lock:
            rows = [asdict(call) for call in self._calls if call.seq > seq]
        return [row for row in rows if all(str(row[name]) == value for name, value in only.items())]

    def __len__(self) -> int:
        return len(self._calls)

    def clear(self) -> None:
        """Numbers go on counting, so that a reader's `since` never points at another call."""
        with self._lock:
            self._calls.clear()
            self._journal.clear()

    def close(self) -> None:
        self._journal.close()
