"""In-memory implementations of every port, held to the real things by ``tests/contract`` and by mypy."""

from tests.fakes.accounts import MemoryAccounts
from tests.fakes.bus import MemoryBus, MemoryOffsets
from tests.fakes.clock import NOON, CountingIds, ManualClock, Scripted
from tests.fakes.faults import Died, Faults, Faulty
from tests.fakes.limiter import MemoryLimiter
from tests.fakes.schedule import MemorySchedule
from tests.fakes.sender import FakeSender
from tests.fakes.store import MemoryStore

__all__ = [
    "NOON",
    "CountingIds",
    "Died",
    "FakeSender",
    "Faults",
    "Faulty",
    "ManualClock",
    "MemoryAccounts",
    "MemoryBus",
    "MemoryLimiter",
    "MemoryOffsets",
    "MemorySchedule",
    "MemoryStore",
    "Scripted",
]
