"""The benchmark measures what it says: its workers send what its client asked for, each once, and record it.

In small, and without looking at the clock: times are taken by ``make bench`` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import backlog
from bench.cases import fairness, slow_provider, throughput
from bench.machine import machine
from bench.workers import EMAIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.machine import Machine


@pytest.fixture(scope="module")
def servers() -> Iterator[Machine]:
    with machine() as running:
        yield running


def test_throughput_is_of_messages_that_were_each_sent_once(servers: Machine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(throughput, "WARM_UP", 100)
    assert throughput.ours(servers, 300) > 0
    assert servers.query("SELECT count(*) FROM deliveries") == [(0,)]


def test_a_slow_provider_is_kept_busy(servers: Machine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slow_provider, "WARM_UP", 100)
    monkeypatch.setattr(slow_provider, "COUNT", 200)
    assert 0 < slow_provider.rate(servers) <= slow_provider.MOST


def test_a_quiet_project_is_measured_beside_a_backlog(servers: Machine, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"WARM_UP": 100, "COUNT": 5, "BEHIND": 3_000, "LEAD_SECONDS": 0.5}.items():
        monkeypatch.setattr(fairness, name, value)
    assert fairness._last(servers, fairness._backlog) > 0


def test_a_backlog_is_due_and_indexed(servers: Machine):
    servers.clean()
    backlog.fill(servers, servers.project(), EMAIL, 12_000)
    with servers.redis() as client:
        assert sum(client.zcard(key) for key in client.scan_iter("nofy:*:due:*")) == 12_000
    servers.clean()
