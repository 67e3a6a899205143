"""The application that publishes: ``python -m bench.peers.publisher <peer>``. It takes orders on its standard input.

    {"count": 2000, "first": 0}                                    -> {"began": ...}, when all are published
    {"rate": 50, "seconds": 20, "ahead": 3, "first": 0}            -> {"due": {"0": ...}}

What is asked for is made before the clock starts; validating, storing and enqueueing come after it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench.peers import job
from bench.peers.plan import batches, body, moments

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Accept = Callable[[list[dict[str, Any]]], Awaitable[None]]


async def obey(accept: Accept) -> None:
    """Until the harness closes our standard input."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = await (publish(accept, **order) if "count" in order else schedule(accept, **order))
        print(json.dumps(answer), flush=True)


async def publish(accept: Accept, count: int, first: int) -> dict[str, Any]:
    requests = list(batches(count, first))
    began = time.time()
    for each in requests:
        await accept(each)
    return {"began": began}


async def schedule(accept: Accept, rate: float, seconds: float, ahead: float, first: int) -> dict[str, Any]:
    """Each by itself, so far ahead of its time; nothing else is done here, so the wait may block."""
    due = moments(rate, seconds, time.time() + ahead, first)
    for number, at in due.items():
        time.sleep(max(0.0, at - ahead - time.time()))  # noqa: ASYNC251
        await accept([body(number, datetime.fromtimestamp(at, UTC))])
    return {"due": due}


def into_redis(peer: str) -> None:
    from bench.peers import threaded

    enqueue = importlib.import_module(f"bench.peers.{peer}_app").enqueue

    async def accept(bodies: list[dict[str, Any]]) -> None:
        notifications = job.validated(bodies)
        threaded.accept(notifications)
        enqueue(notifications)

    asyncio.run(obey(accept))


async def into_postgres() -> None:
    from bench.peers import procrastinate_app

    async with procrastinate_app.opened(1) as pool:

        async def accept(bodies: list[dict[str, Any]]) -> None:
            await procrastinate_app.accept(pool, job.validated(bodies))

        await obey(accept)


def main(peer: str) -> None:
    if peer == "procrastinate":
        import uvloop  # type: ignore[import-not-found]

        uvloop.run(into_postgres())
    else:
        into_redis(peer)


if __name__ == "__main__":
    main(sys.argv[1])
