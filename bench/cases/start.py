"""P8: what a function's start costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cases import cold_start, imports

if TYPE_CHECKING:
    from bench.course import Course
    from bench.finding import Finding


def measure(course: Course) -> list[Finding]:
    return [*imports.measure(course.tell), *cold_start.measure(course.tell)]
