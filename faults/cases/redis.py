"""Redis forgets, goes away, or is full."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from faults.cases.steps import MANY, post

if TYPE_CHECKING:
    from faults.bench import Bench
    from faults.client import Promise


def redis_emptied(bench: Bench) -> None:
    promised = _accept_undispatched(bench)
    with bench.machine.redis() as redis:
        assert redis.dbsize(), "nothing to forget"
        redis.flushall()
    bench.fleet.start("dispatcher")
    bench.expect_sent(promised)


def redis_restarted_empty(bench: Bench) -> None:
    promised = _accept_undispatched(bench)
    bench.restart_server("redis")
    bench.fleet.start("dispatcher")
    bench.expect_sent(promised)


def _accept_undispatched(bench: Bench) -> list[Promise]:
    """Whatever else this machine does: none of them has left Redis when it forgets them."""
    bench.fleet.kill("dispatcher")
    return bench.accept(MANY)


def redis_unreachable(bench: Bench) -> None:
    bench.machine.servers["redis"].kill()
    status, _, promised = post(bench)
    bench.machine.servers["redis"].start()
    assert status == 202, f"without Redis: {status}"
    bench.expect_sent(promised)


def redis_out_of_memory(bench: Bench) -> None:
    with bench.machine.redis() as redis:
        redis.config_set("maxmemory", "1")
        status, _, promised = post(bench)
        time.sleep(1)
        redis.config_set("maxmemory", "0")
    assert status == 202, f"Redis full: {status}"
    bench.expect_sent(promised)
