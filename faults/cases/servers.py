"""PostgreSQL and Kafka go away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from faults.cases.steps import FEW, MANY, post

if TYPE_CHECKING:
    from faults.bench import Bench


def postgres_restarted(bench: Bench) -> None:
    promised = bench.accept(MANY)
    bench.restart_server("postgres")
    bench.expect_sent(promised)


def postgres_down(bench: Bench) -> None:
    """503 and never 202; afterwards as if nothing had been."""
    bench.machine.servers["postgres"].kill()
    try:
        status, document, _ = post(bench)
    finally:
        bench.machine.servers["postgres"].start()
    assert status == 503, f"without PostgreSQL: {status} {document}"
    bench.expect_sent(bench.accept(FEW))


def kafka_down_at_dispatch(bench: Bench) -> None:
    bench.machine.servers["kafka"].kill()
    promised = bench.accept(FEW)
    time.sleep(4)
    bench.machine.servers["kafka"].start()
    bench.expect_sent(promised)
