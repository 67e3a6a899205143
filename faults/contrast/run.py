"""A run of each variant, one after the other, on servers of their own."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import redis

from faults.contrast import loop, settings
from faults.contrast.troupe import Troupe
from faults.machine import Server
from local import processes, redis_server
from local.ports import free_ports
from local.processes import Home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.contrast.verdict import Figures
    from faults.machine import Machine

TABLE = """
CREATE TABLE IF NOT EXISTS celery_results (
    id uuid PRIMARY KEY, status text NOT NULL, reason text, at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT, INSERT ON celery_results TO nofy_pipeline;
TRUNCATE celery_results;
"""


@dataclass(frozen=True)
class Variant:
    """Who is killed, and whether the broker remembers."""

    says: str
    victims: dict[str, int]
    keeps: bool


VARIANTS = {
    "as_nofy": Variant("everything is killed; Redis comes back empty, or is emptied", loop.EVERYTHING, keeps=False),
    "redis_keeps": Variant("the same, and Redis has an append-only file, synced always", loop.KEEPING, keeps=True),
    "workers_only": Variant("only workers, their children and the publisher are killed", loop.ONLY_WORKERS, keeps=True),
}


@dataclass(frozen=True)
class Result:
    """One variant's."""

    variant: str
    figures: Figures
    killed: dict[str, int]
    seed: int
    seconds: float
    left: int
    exits: int
    revived: bool

    def document(self) -> dict[str, Any]:
        return {
            "variant": VARIANTS[self.variant].says,
            **asdict(self.figures),
            "kills": sum(self.killed.values()),
            "killed": self.killed,
            "left_in_the_broker": self.left,
            "workers_that_ended_by_themselves": self.exits,
            "workers_were_deaf_at_the_end": self.revived,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
        }


def document(results: list[Result]) -> dict[str, Any]:
    """``.local/faults-celery.json``."""
    retries = {"most_attempts": settings.MOST_ATTEMPTS, "backoff_most_seconds": settings.BACKOFF_MOST_SECONDS}
    how = {**settings.SETTINGS, **retries, "workers": len(settings.CHANNELS), "concurrency": settings.CONCURRENCY}
    return {"settings": how, "runs": {each.variant: each.document() for each in results}}


def run(variant: str, seed: int, kills: int, wanted: int, machine: Machine, tell: Callable[[str], None]) -> Result:
    machine.query(TABLE)
    began = time.monotonic()
    with _broker(machine, VARIANTS[variant].keeps) as (server, url), _troupe(machine, url) as troupe:
        made = loop.Loop(machine, troupe, server, redis.Redis.from_url(url), VARIANTS[variant].victims, seed, tell)
        figures = made.run(kills, wanted)
    return Result(variant, figures, made.killed, seed, time.monotonic() - began, made.left, troupe.exits, made.revived)


@contextmanager
def _broker(machine: Machine, keeps: bool) -> Iterator[tuple[Server, str]]:
    """A Redis of its own: Nofy's persists nothing, and Celery's shall be able to."""
    home = Home(machine.folder / "redis-celery")
    home.create()
    (port,) = free_ports(1)
    more = ("--appendonly", "yes", "--appendfsync", "always") if keeps else ()
    try:
        redis_server.finish(home, port, redis_server.start(home, port, *more))
        yield Server("redis", home, lambda: redis_server.answers(port)), redis_server.url(port)
    finally:
        processes.stop(home)
        shutil.rmtree(machine.folder / "redis-celery", ignore_errors=True)


@contextmanager
def _troupe(machine: Machine, url: str) -> Iterator[Troupe]:
    folder = machine.folder / "celery"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    where = {
        "CONTRAST_REDIS": url,
        "CONTRAST_POSTGRES": machine.addresses.postgres_pipeline,
        "CONTRAST_PROVIDER": machine.addresses.provider,
    }
    troupe = Troupe(folder, where)
    try:
        troupe.start()
        yield troupe
    finally:
        troupe.close()
