"""What a case found, how it is judged, kept and shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from bench import plot, results
from bench.figures import percentile
from bench.finding import Finding

if TYPE_CHECKING:
    from pathlib import Path

FASTER = Finding.at_least("P1", "throughput over celery", [2_900.0, 3_100.0, 3_000.0], [500.0, 600.0, 550.0], "/s", 5.0)
SLOWER = Finding.at_most("P3", "accept over INSERT, median", [4.0], [2.0], "ms", 1.8)
WITHIN = Finding.bounded("P7", "round trips per 1,000 deliveries", [35.0], "trips", 40.0)
TOLD = Finding.told("P6", "Redis memory for an id", [155.0], "B", note="of one lane")


def test_the_ratio_is_of_the_medians():
    assert (FASTER.ours, FASTER.baseline, FASTER.met) == (3_000.0, 550.0, True)
    assert FASTER.ratio == pytest.approx(5.4545, abs=1e-3)


def test_a_target_that_is_missed_is_told_as_missed():
    assert (SLOWER.ratio, SLOWER.met, SLOWER.target) == (2.0, False, "≤ 1.8x")
    assert not Finding.at_least("P1", "", [9.0], [10.0], "/s", 1.0).met


def test_a_bound_is_its_own_baseline():
    assert (WITHIN.baseline, WITHIN.met, WITHIN.target) == (40.0, True, "≤ 40 trips")
    assert not Finding.bounded("P5", "", [51.0], "ms", 50.0).met


def test_what_has_no_target_is_told_and_judged_by_nobody():
    assert (TOLD.target, TOLD.met, TOLD.ours) == ("", True, 155.0)


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([3, 1, 2], 0.5, 2), ([1], 0.99, 1), (range(1, 101), 0.99, 99), (range(1, 101), 0.5, 50), ([1, 2], 0.0, 1)],
)
def test_a_percentile_is_a_value_that_was_measured(values, share: float, found: float):
    assert percentile(list(values), share) == found


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results, "LATEST", tmp_path / "results" / "latest.json")
    monkeypatch.setattr(results, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(results, "PLOT", tmp_path / "performance.svg")
    (tmp_path / "performance.md").write_text(f"# Before\n\n{results.BEGIN}\nold\n{results.END}\n\n## After\n")
    return tmp_path


def test_a_case_that_is_taken_again_replaces_what_it_found_and_leaves_the_others(kept: Path):
    results.keep("P7", [WITHIN])
    results.keep("P1", [FASTER])
    results.keep("P7", [Finding.bounded("P7", "round trips", [39.0], "trips", 40.0)])
    findings = json.loads((kept / "results" / "latest.json").read_text())["findings"]
    assert [(each["case"], each["ours"]) for each in findings] == [("P1", 3_000.0), ("P7", 39.0)]
    assert findings[0].keys() >= set("case ours baseline ratio target met runs".split())


def test_cases_stand_in_the_order_of_their_numbers(kept: Path):
    for finding in (TOLD, Finding.told("P10", "", [1.0], ""), Finding.told("soak", "", [1.0], ""), WITHIN):
        results.keep(finding.case, [finding])
    assert [each["case"] for each in results.read()["findings"]] == ["P6", "P7", "P10", "soak"]


def test_the_page_keeps_what_people_wrote_around_the_figures(kept: Path):
    results.keep("P3", [SLOWER])
    page = results.publish().read_text()
    assert page.startswith("# Before")
    assert page.endswith("## After\n")
    assert "old" not in page
    assert "| P3 | accept over INSERT, median | 4 ms | 2 | 2.00 | ≤ 1.8x | **no** |" in page


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.01234, "0.0123"), (1.5, "1.5"), (99.94, "99.9"), (12_345.6, "12,346")]
)
def test_a_figure_has_three_digits_that_count(value: float, text: str):
    assert results.figure(value) == text


@pytest.mark.parametrize(
    ("finding", "reached"),
    [(FASTER, 5.4545 / 5), (SLOWER, 1.8 / 2), (WITHIN, 40 / 35)],
)
def test_a_bar_says_how_far_a_target_is_reached(finding: Finding, reached: float):
    assert plot.attainment(finding.document()) == pytest.approx(reached, abs=1e-3)


def test_the_plot_has_a_bar_for_everything_that_is_judged():
    drawn = ET.fromstring(plot.drawn([each.document() for each in (FASTER, SLOWER, WITHIN, TOLD)]))
    assert len(drawn.findall("{http://www.w3.org/2000/svg}rect")) == 3
