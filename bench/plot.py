"""How far each target is reached, as a picture: one bar a finding, a line where the target is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROW, LEFT, WIDE, TOP = 26, 430, 420, 44
# Where the target's line is, as a share of the bar's width: half, so that what is twice as good fits.
TARGET = 0.5


def drawn(findings: Sequence[dict[str, Any]]) -> str:
    """An SVG that is readable on a light and on a dark page."""
    judged = [each for each in findings if each["target"] and each["ratio"] > 0]
    height = TOP + ROW * len(judged) + 10
    bars = "".join(_bar(each, TOP + ROW * place) for place, each in enumerate(judged))
    line = LEFT + WIDE * TARGET
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDE + 120} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13">'
        "<title>How far each target is reached</title>"
        "<style>text{fill:#444}@media(prefers-color-scheme:dark){text{fill:#ccc}}</style>"
        f'<text x="{line}" y="16" text-anchor="middle">target</text>'
        f'<text x="{LEFT}" y="34" font-size="11">0</text>'
        f'<text x="{LEFT + WIDE}" y="34" text-anchor="end" font-size="11">twice as good, or better</text>'
        f"{bars}"
        f'<line x1="{line}" y1="22" x2="{line}" y2="{height - 6}" stroke="#888" stroke-dasharray="4 3"/>'
        "</svg>\n"
    )


def _bar(found: dict[str, Any], y: float) -> str:
    reached = attainment(found)
    width = WIDE * min(1.0, reached * TARGET)
    colour = "#2f9e44" if found["met"] else "#e8590c"
    name = escape(f"{found['case']}  {found['what']}")
    return (
        f'<text x="{LEFT - 10}" y="{y + 15}" text-anchor="end">{name}</text>'
        f'<rect x="{LEFT}" y="{y + 3}" width="{width:.1f}" height="{ROW - 9}" rx="2" fill="{colour}"/>'
        f'<text x="{LEFT + WIDE + 10}" y="{y + 15}">{found["ratio"]:.2f} of {escape(found["target"].split()[1])}</text>'
    )


def attainment(found: dict[str, Any]) -> float:
    """1 on the target, 2 where it is twice as good."""
    bound = float(found["target"].split()[1].rstrip("x"))
    if found["target"].startswith("≥"):
        return float(found["ratio"] / bound)
    relative = found["ratio"] / bound if found["target"].endswith("x") else found["ratio"]
    return float(1 / relative)
