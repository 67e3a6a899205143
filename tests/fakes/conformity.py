"""The fakes are held to the ports by mypy: a Protocol that grows a method breaks this module, not a test at night."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes import (
    FakeSender,
    ManualClock,
    MemoryAccounts,
    MemoryBus,
    MemoryLimiter,
    MemoryOffsets,
    MemorySchedule,
    MemoryStore,
    Scripted,
)
from tests.fakes.quotas import MemoryQuotas
from tests.fakes.vault import MemoryVault

if TYPE_CHECKING:
    from nofy.ports.accounts import Belongings, CredentialSealer, Memberships, People, Quotas
    from nofy.ports.bus import Bus, Offsets
    from nofy.ports.clock import Clock, Random
    from nofy.ports.limiter import Limiter
    from nofy.ports.reading import Reading
    from nofy.ports.schedule import Schedule
    from nofy.ports.sender import Sender
    from nofy.ports.store import Acceptances, Amendments, Burials, Dispatches, Leases, Outcomes
    from nofy.ports.upkeep import Upkeep

_clock = ManualClock()
_store = MemoryStore(_clock)
_accounts = MemoryAccounts(_store, _clock)
_bus = MemoryBus(_clock)

acceptances: Acceptances = _store
amendments: Amendments = _store
dispatches: Dispatches = _store
leases: Leases = _store
outcomes: Outcomes = _store
burials: Burials = _store
upkeep: Upkeep = _store
reading: Reading = _store
memberships: Memberships = _accounts
people: People = _accounts
belongings: Belongings = _accounts
schedule: Schedule = MemorySchedule(_clock)
limiter: Limiter = MemoryLimiter()
bus: Bus = _bus
offsets: Offsets = MemoryOffsets(_bus)
sender: Sender = FakeSender()
clock: Clock = _clock
random: Random = Scripted()
quotas: Quotas = MemoryQuotas()
sealer: CredentialSealer = MemoryVault()
