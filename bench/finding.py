"""What a case found: our figure beside a baseline's, the ratio, and whether it is where it has to be."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One line of ``docs/performance.md``. ``runs`` has every counted run, so that the spread can be seen.

    ``ours`` and ``baseline`` are medians in ``unit``; ``ratio`` is theirs. A finding without a target is told for
    what it is worth: ``target`` is empty then, and ``met`` true.
    """

    case: str
    what: str
    ours: float
    baseline: float
    unit: str
    ratio: float
    target: str
    met: bool
    runs: dict[str, list[float]] = field(default_factory=dict)
    note: str = ""

    @classmethod
    def at_least(
        cls, case: str, what: str, ours: list[float], baseline: list[float], unit: str, target: float, note: str = ""
    ) -> Finding:
        """The larger the better: a throughput over somebody else's."""
        ratio = median(ours) / median(baseline)
        return cls._of(case, what, ours, baseline, unit, ratio, f"≥ {target:g}x", ratio >= target, note)

    @classmethod
    def at_most(
        cls, case: str, what: str, ours: list[float], baseline: list[float], unit: str, target: float, note: str = ""
    ) -> Finding:
        """The smaller the better: a time, or a cost."""
        ratio = median(ours) / median(baseline)
        return cls._of(case, what, ours, baseline, unit, ratio, f"≤ {target:g}x", ratio <= target, note)

    @classmethod
    def bounded(cls, case: str, what: str, ours: list[float], unit: str, most: float, note: str = "") -> Finding:
        """An absolute bound, where nobody else's figure is the measure. ``baseline`` is the bound."""
        ratio = median(ours) / most
        return cls._of(case, what, ours, [most], unit, ratio, f"≤ {most:g} {unit}", ratio <= 1, note)

    @classmethod
    def told(cls, case: str, what: str, ours: list[float], unit: str, note: str = "") -> Finding:
        """No target."""
        return cls(case, what, median(ours), 0.0, unit, 0.0, "", met=True, runs={"ours": ours}, note=note)

    @classmethod
    def _of(
        cls,
        case: str,
        what: str,
        ours: list[float],
        baseline: list[float],
        unit: str,
        ratio: float,
        target: str,
        met: bool,
        note: str,
    ) -> Finding:
        runs = {"ours": ours, "baseline": baseline}
        return cls(case, what, median(ours), median(baseline), unit, ratio, target, met, runs, note)

    def document(self) -> dict[str, Any]:
        """As ``bench/results/latest.json`` has it."""
        return asdict(self)
