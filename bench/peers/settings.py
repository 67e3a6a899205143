"""How each peer is tuned: every setting that differs from the library's own, and why. Imported on both sides.

What was tried stands in each peer's own module, with its figures. Sources are the libraries' own manuals: Celery's
"Optimizing" and "Using Redis", dramatiq's "Advanced Topics" and "Environment Variables", procrastinate's discussions of
asynchronous code, of the size of the pool and of polling.
"""

from __future__ import annotations

from typing import Any

# How many requests the client sends at once, as Nofy's does.
BATCH = 100

# An idle worker looks for work again after so long, where looking is how it learns of it: of delayed messages in
# dramatiq (``dramatiq_worker_timeout``, 1 s otherwise, which also delays the first message after a pause) and of
# scheduled jobs in procrastinate (``fetch_job_polling_interval``, 5 s otherwise). 20 questions a second cost little.
WAKE_UP_SECONDS = 0.05

# One process a core, since a process of Python uses one; threads, since a task waits for PostgreSQL's disk and for the
# provider. 16 of them, so that many commits share a flush.
PROCESSES = 2
THREADS = 16

CELERY: dict[str, Any] = {
    # The job is not lost with its worker: acknowledged when it is done, and given back when its process dies.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    # "If you have many short-running tasks ... this number should be large. You may have to experiment": 64 gave less
    # than 4, the default, since one of the two workers then holds most of the tasks.
    "worker_prefetch_multiplier": 4,
    # PostgreSQL has the outcome; a result backend would be written to for nobody.
    "task_ignore_result": True,
    # A task without a rate limit need not pass the token buckets, nor a worker listen for remote control.
    "worker_disable_rate_limits": True,
    "worker_enable_remote_control": False,
    "worker_redirect_stdouts": False,
    # One list instead of the four that priorities have: a BRPOP names them all.
    "broker_transport_options": {"priority_steps": [0], "visibility_timeout": 3_600},
    "broker_connection_retry_on_startup": True,
    "task_serializer": "json",
    "accept_content": ["json"],
}
# What workers tell each other of themselves is of no use here, and costs messages.
CELERY_WORKER = (
    *("--pool", "threads", "--concurrency", str(THREADS), "--loglevel", "WARNING"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)

DRAMATIQ_WORKER = ("--processes", str(PROCESSES), "--threads", str(THREADS), "--skip-logging")
DRAMATIQ_RETRIES = 5

# "The shorter your average job execution time, the more your pool will need to contain as many connections as your
# concurrency (plus one)."
PROCRASTINATE_CONCURRENCY = 16
PROCRASTINATE_POOL = PROCRASTINATE_CONCURRENCY + 1
