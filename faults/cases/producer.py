"""The producer dies on the way to its answer."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from faults.cases.steps import FEW
from faults.fleet import ProducerGoneError
from faults.tricks import Death

if TYPE_CHECKING:
    from faults.bench import Bench


def producer_killed_before_commit(bench: Bench) -> None:
    """No row, and the same request succeeds afterwards."""
    rows = bench.rows()
    items, key = _ask_a_mortal(bench, Death("PostgresAcceptances.accept"))
    assert bench.rows() == rows, "a row without a commit"
    bench.client.accept(items, key)
    assert bench.rows() == rows + len(items)


def producer_killed_between_commit_and_redis(bench: Bench) -> None:
    """Found by the reconciler; the same request is told of the same deliveries."""
    rows = bench.rows()
    items, key = _ask_a_mortal(bench, Death("RedisSchedule.add"))
    assert bench.rows() == rows + len(items), "the commit was made"
    promised = bench.client.accept(items, key)
    assert bench.rows() == rows + len(items), "asked again, and accepted again"
    bench.expect_sent(promised)


def producer_killed_before_it_answers(bench: Bench) -> None:
    rows = bench.rows()
    items, key = _ask_a_mortal(bench, Death("RedisSchedule.add", before=False))
    promised = bench.client.accept(items, key)
    assert bench.rows() == rows + len(items)
    bench.expect_sent(promised)


def _ask_a_mortal(bench: Bench, death: Death) -> tuple[list[dict[str, Any]], str]:
    bench.fleet.kill("producer")
    bench.fleet.start("producer", death=death)
    items, key = bench.items(FEW), secrets.token_hex(8)
    try:
        bench.client.ask("POST", "/v1/notifications/batch", {"notifications": items}, key)
    except ProducerGoneError:
        bench.fleet.restart("producer")
        return items, key
    raise AssertionError("the producer outlived its death")
