"""One client whose connections are closed at the end, and the simulators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.simulators.server import Server
from nofy.adapters.identity.fetch import Fetcher

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    client = Fetcher(deadline=1.0, read_timeout=0.5)
    yield client
    client.close()


@pytest.fixture
def simulators() -> Iterator[Server]:
    with Server(port=0) as server:
        yield server
