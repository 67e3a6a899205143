"""The providers' simulators, and one HTTP client whose connections are closed at the end."""

from __future__ import annotations

from asyncio import Runner
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from local.simulators.server import Server
from nofy.adapters.providers.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.providers.tiny_server import Run

settings.register_profile("nofy", deadline=None, max_examples=40, database=None)
settings.load_profile("nofy")


@pytest.fixture
def run() -> Iterator[Run]:
    """What a coroutine comes to, in the test's event loop."""
    with Runner() as runner:
        yield runner.run


@pytest.fixture
def http(run: Run) -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    run(client.close())


@pytest.fixture
def simulators() -> Iterator[Server]:
    with Server(port=0) as server:
        yield server
