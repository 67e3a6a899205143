"""What several cases do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faults.bench import Bench
    from faults.tricks import Death
    from nofy.domain.routing import Channel

FEW = 30
MANY = 90


def dies_at(bench: Bench, name: str, death: Death, *channels: Channel) -> None:
    """The worker dies there, is started again, and everything is sent."""
    bench.fleet.kill(name)
    promised = bench.accept(FEW, *channels)
    bench.fleet.start(name, death=death)
    assert bench.fleet.await_death(name), f"{name} never came to {death.target}"
    bench.fleet.start(name)
    bench.expect_sent(promised)


def misbehaving(bench: Bench, names: tuple[str, ...], trick: str) -> None:
    for name in names:
        bench.fleet.kill(name)
        bench.fleet.start(name, tricks=(trick,))
    bench.expect_sent(bench.accept(MANY))
    for name in names:
        bench.fleet.restart(name)


def post(bench: Bench) -> tuple[int, Any, list[Any]]:
    """One request, asked once."""
    items = bench.items(FEW)
    status, document = bench.client.ask("POST", "/v1/notifications/batch", {"notifications": items})
    return status, document, bench.client.note(document) if status == 202 else []
