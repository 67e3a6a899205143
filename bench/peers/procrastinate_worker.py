"""One worker's process of procrastinate: ``python -m bench.peers.procrastinate_worker``."""

from __future__ import annotations

import os

import uvloop  # type: ignore[import-not-found]

from bench.peers import ready
from bench.peers.procrastinate_app import app, opened, provider
from bench.peers.settings import PROCRASTINATE_CONCURRENCY, PROCRASTINATE_POOL


async def work() -> None:
    wake_up = os.environ.get("PEER_WAKE_UP")
    looking = {"fetch_job_polling_interval": float(wake_up), "listen_notify": False} if wake_up else {}
    async with opened(PROCRASTINATE_POOL), provider() as session:
        ready.tell()
        await app.run_worker_async(
            concurrency=PROCRASTINATE_CONCURRENCY,
            delete_jobs="successful",
            additional_context={"provider": session},
            **looking,
        )


if __name__ == "__main__":
    uvloop.run(work())
