"""What all simulators of one process share."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.simulators.faults import FaultBook
from local.simulators.ledger import Ledger
from local.simulators.messages import Inbox
from local.simulators.rates import Buckets, Limits

if TYPE_CHECKING:
    from pathlib import Path

    from local.simulators.clock import Clock


@dataclass(slots=True)
class World:
    """Time, limits, faults, memory. `admission` makes "known already? then store" one step for a provider."""

    clock: Clock
    limits: Limits
    inbox: Inbox
    ledger: Ledger
    buckets: Buckets
    faults: FaultBook = field(default_factory=FaultBook)
    admission: threading.RLock = field(default_factory=threading.RLock)
    stopping: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def create(cls, state_dir: Path | None = None, limits: Limits | None = None, clock: Clock = time.time) -> World:
        messages, calls = (state_dir / "messages.jsonl", state_dir / "calls.jsonl") if state_dir else (None, None)
        return cls(clock, limits or Limits(), Inbox(messages), Ledger(calls), Buckets(clock))

    def pause(self, seconds: float) -> None:
        """Sleep, but not longer than the process lives."""
        self.stopping.wait(seconds)

    def reset(self) -> None:
        """As on the first start: nothing received, nothing scripted, nothing counted."""
        with self.admission:
            self.inbox.clear()
            self.ledger.clear()
            self.faults.clear()
            self.buckets.clear()

    def close(self) -> None:
        self.stopping.set()
        self.inbox.wake()
        with self.admission:
            self.inbox.close()
            self.ledger.close()
