"""Celery with Redis, acknowledged late: a worker a core, each with a pool of 16 threads. Its settings: ``settings.py``.

A batch is published with one producer of the pool in one pipeline (kombu's ``Producer.batch``), and without the
representations of the arguments that are otherwise made for logs and monitors: 6,700 messages/s, where a call each gave
2,400 and a pipeline with them 4,900.

Tried, 2,000 tasks, on two cores with other work on them (so that figures swing up to twofold): 2 workers x 16 threads
(kept) 527 to 697/s; 2 x 8 398 to 613; 2 x 32 266 to 337; 3 x 10 545 to 637; 3 x 8 523 to 558; 1 x 8 322 to 387; prefork
of 4 250 to 349, two of 2 140 to 281; gevent, with connections of both kinds kept in a pool, 2 x 50 228 to 406, 2 x 16
182 to 239. 64 messages prefetched a thread, where 4 gave 622 to 697: 391 to 397.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery  # type: ignore[import-not-found]
from celery.signals import worker_ready  # type: ignore[import-not-found]

from bench.peers import job, ready, threaded
from bench.peers.settings import CELERY

app = Celery("bench", broker=os.environ["PEER_REDIS"])
app.conf.update(CELERY)


@worker_ready.connect  # type: ignore[untyped-decorator]
def _tell(**_: Any) -> None:
    ready.tell()


# (as a call, not as a decorator, which would leave the function without a type)
deliver = app.task(threaded.deliver, name="deliver", autoretry_for=threaded.AGAIN, retry_backoff=True, max_retries=5)


def enqueue(notifications: list[job.Notification]) -> None:
    """``retry=False``: what a pipeline did not get through cannot be tried again message by message."""
    unsaid = {"argsrepr": "()", "kwargsrepr": "{}"}
    with app.producer_or_acquire() as producer, producer.batch():
        for each in notifications:
            deliver.apply_async(
                kwargs=each.task(), task_id=each.id, eta=each.send_at, producer=producer, retry=False, **unsaid
            )
