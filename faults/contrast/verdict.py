"""What a run of Celery comes to, in the words of Nofy's: promises, results and the provider's ledger. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from faults.provider import Call


@dataclass(frozen=True)
class Figures:
    """Of one run. ``accepted = sent + failed + lost``."""

    accepted: int
    sent: int  # the provider took it
    failed: int  # not taken, and the results say why
    lost: int  # accepted, and neither: nobody knows of it any more, or nobody has come to it when patience was over
    never_called: int  # of the lost ones: no call ever reached the provider
    unrecorded: int  # of the sent ones: the results do not know
    provider_calls: int
    duplicates: int  # taken by the provider beyond the first time
    duplicates_at_brevo: int


def judge(accepted: Collection[str], results: Mapping[str, str], calls: Sequence[Call]) -> Figures:
    """``results``: id to status, as the workers wrote them. Calls about others' ids are left out."""
    ours = set(accepted)
    mine = [each for each in calls if each.delivery_id in ours]
    taken = Counter(each.delivery_id for each in mine if each.accepted)
    brevo = Counter(each.delivery_id for each in mine if each.accepted and each.provider == "brevo")
    failed = {each for each in ours if results.get(each) == "failed" and not taken[each]}
    lost = ours - taken.keys() - failed
    return Figures(
        accepted=len(ours),
        sent=len(taken),
        failed=len(failed),
        lost=len(lost),
        never_called=len(lost - {each.delivery_id for each in mine}),
        unrecorded=sum(each not in results for each in taken),
        provider_calls=len(mine),
        duplicates=_beyond_the_first(taken),
        duplicates_at_brevo=_beyond_the_first(brevo),
    )


def ended(accepted: Collection[str], results: Mapping[str, str]) -> bool:
    return all(each in results for each in accepted)


def _beyond_the_first(taken: Counter[str]) -> int:
    return sum(times - 1 for times in taken.values())
