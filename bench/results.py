"""Where findings are kept, and the page that shows them."""

from __future__ import annotations

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import plot
from local.artefacts import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.finding import Finding

LATEST = ROOT / "bench" / "results" / "latest.json"
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "performance.svg"
# What stands between these two lines of the page is written here and by nobody else.
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"


def keep(case: str, found: Sequence[Finding]) -> None:
    """In place of what the case found before."""
    document = read()
    document["findings"] = [each for each in document["findings"] if each["case"] != case]
    document["findings"] += [{**each.document(), "measured_at": _now(), "machine": machine()} for each in found]
    document["findings"].sort(key=lambda each: _order(each["case"]))
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def read() -> dict[str, Any]:
    return dict(json.loads(LATEST.read_text())) if LATEST.exists() else {"findings": []}


def publish() -> Path:
    """The page and its plot, from what is kept."""
    findings = read()["findings"]
    PLOT.write_text(plot.drawn(findings))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(findings)}\n\n{END}{after}")
    return PAGE


def table(findings: Sequence[dict[str, Any]]) -> str:
    """A line a finding."""
    head = "| case | what | ours | beside | ratio | target | met | runs, ours | runs, beside |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *map(_line, findings)])


def _line(found: dict[str, Any]) -> str:
    judged = found["target"] != ""
    runs = found["runs"]
    cells = (
        found["case"],
        found["what"] + (f" ({found['note']})" if found["note"] else ""),
        f"{figure(found['ours'])} {found['unit']}",
        figure(found["baseline"]) if judged else "",
        f"{found['ratio']:.2f}" if judged else "",
        found["target"],
        ("yes" if found["met"] else "**no**") if judged else "",
        " ".join(map(figure, runs.get("ours", []))),
        " ".join(map(figure, runs.get("baseline", []))) if judged else "",
    )
    return "| " + " | ".join(cells) + " |"


def figure(value: float) -> str:
    """Three digits that count, and no power of ten."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine() -> str:
    """What it was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", information.read_text()) if information.exists() else None
    return found[1].strip() if found else platform.processor()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _order(case: str) -> tuple[int, str]:
    number = re.search(r"\d+", case)
    return (int(number[0]) if number else 99, case)
