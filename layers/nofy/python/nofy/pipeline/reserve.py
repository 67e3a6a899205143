"""Reserve: a moment for each call before it is made, and what calls came to afterwards. Nothing here raises.

A limit is a courtesy, which providers enforce themselves in the end; a delivery is a promise. Without a limiter
everybody goes. An error, raised after the lease, would leave the whole batch to the reconciler.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from nofy.domain.limits import Go, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from nofy.domain.delivery import Leased, Report
    from nofy.ports.limiter import Limiter

log = logging.getLogger(__name__)


def reserve(leased: Sequence[Leased], limiter: Limiter, now: datetime) -> list[Verdict]:
    """A verdict for each delivery, in order. What a test token sent reaches no provider, and asks nobody."""
    live = [each for each in leased if each.live]
    try:
        verdicts = iter(limiter.reserve(live, now) if live else [])
        return [next(verdicts) if each.live else Go() for each in leased]
    except Exception:
        log.exception("limits not known", extra={"deliveries": len(live)})
        return [Go()] * len(leased)


def learn(leased: Iterable[Leased], reports: Iterable[Report], limiter: Limiter, now: datetime) -> None:
    """Tell the limiter how the calls went."""
    outcomes = {each.delivery_id: each.outcome for each in reports}
    answers = [(each, outcomes[each.fence.delivery_id]) for each in leased if each.live]
    try:
        if answers:
            limiter.learn(answers, now)
    except Exception:
        log.exception("outcomes not learnt", extra={"answers": len(answers)})
