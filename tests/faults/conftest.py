"""One set of servers for all runs of the harness."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults.machine import Machine, machine


@pytest.fixture(scope="session")
def servers() -> Iterator[Machine]:
    with machine() as made:
        yield made
