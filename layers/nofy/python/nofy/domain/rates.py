"""How much a provider bears: in all, and towards one destination. Numbers, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nofy.domain.routing import Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

# Seconds. Deliveries come in batches, as often as dispatcher and consumer turn: if fewer calls could be made in one
# than the rate allows from one to the next, the difference would be lost.
TURN = 0.15


@dataclass(frozen=True, slots=True)
class Rate:
    """``per_second`` on average, ``burst`` at once after a quiet time."""

    per_second: float
    burst: int

    @property
    def interval(self) -> timedelta:
        return timedelta(seconds=1 / self.per_second)

    @property
    def tolerance(self) -> timedelta:
        """How far ahead of the average a burst may run."""
        return self.interval * (self.burst - 1)

    @property
    def express(self) -> Rate:
        """What ``high`` and ``normal`` have for themselves while a less urgent backlog has taken all slots to come.

        A tenth each, for reserved slots cannot be given back. More slots are given so than there is room for calls:
        then bulk is what comes again.
        """
        return Rate(self.per_second / 10, max(1, self.burst // 10))

    @property
    def at_once(self) -> int:
        """So many calls may be made at once: the burst, or what the rate allows in :data:`TURN`."""
        return max(self.burst, int(self.per_second * TURN))

    @property
    def leeway(self) -> timedelta:
        """How far calls may run ahead of the average."""
        return self.interval * (self.at_once - 1)

    @property
    def urgent_leeway(self) -> timedelta:
        """The calls of ``high`` and ``normal`` find room where bulk has just used it up: a tenth of a burst more."""
        return self.leeway + self.interval * self.express.burst


@dataclass(frozen=True, slots=True)
class Limits:
    """What one integration bears in all, and towards one destination; None: no limit is known."""

    integration: Rate | None
    destination: Rate | None


# Slack: "about 1 per second per channel, short bursts tolerated" and "several hundred per minute" for a workspace
# (docs.slack.dev/apis/web-api/rate-limits): 300 a minute, which may come at once after a quiet time.
# Brevo: 1,000 a second for POST /v3/smtp/email on all plans (developers.brevo.com/docs/api-limits).
# WhatsApp: 80 a second per number; to one person 1 in 6 s, up to 45 borrowed from the future (Meta, Cloud API,
# "Throughput" and "Pair rate limits"). Larger allowances are set per integration: settings {"limits": ...}.
LIMITS: dict[Provider, Limits] = {
    Provider.SLACK: Limits(Rate(5, 300), Rate(1, 3)),
    Provider.BREVO: Limits(Rate(1000, 1000), None),
    Provider.WHATSAPP: Limits(Rate(80, 80), Rate(1 / 6, 45)),
}
_SLOWEST, _MOST = 0.001, 100_000


def limits_of(provider: Provider, settings: Mapping[str, Any]) -> Limits:
    """The provider's limits, or what the integration's settings say instead; what cannot be read says nothing."""
    given = settings.get("limits")
    if given is None or limits_problem(given):
        return LIMITS[provider]
    return replace(LIMITS[provider], **{name: rate and Rate(**rate) for name, rate in given.items()})


def limits_problem(given: Any) -> str | None:
    """What is wrong with an integration's ``limits``, in words for whoever gave them."""
    sound = isinstance(given, dict) and given.keys() <= {"integration", "destination"}
    if sound and all(rate is None or _is_rate(rate) for rate in given.values()):
        return None
    return 'limits needs "integration" or "destination", each {"per_second": 5, "burst": 300}, or null for no limit'


def _is_rate(given: Any) -> bool:
    if not isinstance(given, dict) or given.keys() != {"per_second", "burst"}:
        return False
    per_second, burst = given["per_second"], given["burst"]
    return type(per_second) in (int, float) and type(burst) is int and _SLOWEST <= per_second <= _MOST >= burst >= 1
