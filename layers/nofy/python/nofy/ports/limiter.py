"""Who may call a provider now, and when the others may. Safe to lose: it is learnt again from the providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nofy.domain.delivery import Leased
    from nofy.domain.limits import Verdict
    from nofy.domain.outcomes import Outcome


class Limiter(Protocol):
    """Raises :class:`nofy.domain.errors.ScheduleUnavailableError` from both methods, soon: the caller goes on."""

    def reserve(self, deliveries: Sequence[Leased], now: datetime) -> list[Verdict]:
        """One verdict for each delivery, in order: the earlier ones take the earlier slots.

        What waits has its slot reserved, and goes when it asks again then, if the calls made leave room.
        """

    def learn(self, answers: Sequence[tuple[Leased, Outcome]], now: datetime) -> None:
        """Tell how calls went: failures open the integration's circuit, throttles pause what they speak of."""
