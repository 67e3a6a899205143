"""procrastinate: jobs in PostgreSQL itself; a worker's process a core, each with 16 asynchronous jobs under way.

- uvloop and aiohttp; 17 connections in the pool, which is ours ("Procrastinate can use an existing pool"): its own
  asks each connection whether it lives before each statement, and begins and commits around it. Every statement here
  is a transaction by itself, so that autocommit takes one round trip instead of four.
- A request's rows and its jobs are one transaction ("Using an external database connection"), deferred in a batch.
- No LISTEN: with it, each worker wakes for each row of a batch. It looks every 50 ms instead, when it has nothing.
- A job that succeeded is deleted ("Delete jobs on completion"): the table that is searched for work stays small.

Tried, 2,000 jobs, on two cores with other work on them (so that figures swing up to twofold): 2 processes x 16 without
LISTEN 322 to 728/s (kept); with it 246 to 293; 2 x 6 277 to 301; 4 x 4 390 to 404, for more of the processor; 4 x 10
301 to 326; jobs kept 204 to 229. With LISTEN: one process 264 to 338; without autocommit 245 to 382, for a third more
of the processor; asyncio's own loop 209 to 299.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp  # type: ignore[import-not-found]
import procrastinate  # type: ignore[import-not-found]
import psycopg_pool  # type: ignore[import-not-found]

from bench.peers import job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["PEER_POSTGRES"]))


@asynccontextmanager
async def opened(connections: int) -> AsyncIterator[Any]:
    """The pool, and the application on it."""
    pool = psycopg_pool.AsyncConnectionPool(
        os.environ["PEER_POSTGRES"], configure=_commit_each, min_size=connections, max_size=connections, open=False
    )
    async with pool, app.open_async(pool):
        yield pool


async def _commit_each(connection: Any) -> None:
    await connection.set_autocommit(True)


async def _deliver(context: Any, notification_id: str, recipient: str, subject: str | None, text: str) -> None:
    started, provider = datetime.now(UTC), context.additional_context["provider"]
    body = job.provider_body(notification_id, recipient, subject, text)
    async with provider.post(job.PROVIDER_PATH, data=body, headers=job.PROVIDER_HEADERS) as answer:
        found = job.outcome(answer.status, await answer.read())
    parameters = {**found, "id": notification_id, "started": started, "finished": datetime.now(UTC)}
    async with app.connector.pool.connection() as connection:
        await connection.execute(job.RECORD, parameters)


# (as a call, not as a decorator, which would leave the function without a type)
deliver = app.task(
    name="deliver", pass_context=True, retry=procrastinate.RetryStrategy(max_attempts=6, exponential_wait=2)
)(_deliver)


def provider() -> Any:
    """Kept open between calls, as many as jobs are under way."""
    patience = aiohttp.ClientTimeout(total=job.PROVIDER_SECONDS)
    return aiohttp.ClientSession(os.environ["PEER_PROVIDER"], timeout=patience)


async def accept(pool: Any, notifications: list[job.Notification]) -> None:
    """Rows and jobs, in one transaction. Those of one batch are all due at once, or each at its time."""
    at_once = [each.task() for each in notifications if each.send_at is None]
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(job.INSERT, job.columns(notifications))
        if at_once:
            await deliver.configure(connection=connection).batch_defer_async(*at_once)
        for each in notifications:
            if each.send_at is not None:
                await deliver.configure(connection=connection, schedule_at=each.send_at).defer_async(**each.task())
