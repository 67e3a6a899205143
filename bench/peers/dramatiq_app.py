"""dramatiq with Redis: a process a core and 16 threads each.

Messages are acknowledged when they are done, as dramatiq always does. Of the default middleware only retries are kept:
ages, time limits, callbacks and pipelines are for what this job has none of. There is no results middleware.

A batch is enqueued in one pipeline, in the form that the manual gives for programs in other languages ("Enqueueing
Messages from Other Languages"): its own ``enqueue`` takes a round trip a message.

Tried, 2,000 tasks, on two cores with other work on them (so that figures swing up to twofold): 2 processes x 16 threads
1,291 to 1,500/s (kept); 2 x 32 1,272 to 1,301; 2 x 8 1,064 to 1,232; 2 x 4 893 to 1,077; 1 x 32 1,234 to 1,264; 3 x 16
1,135 to 1,316; ``send`` instead of the pipeline 801 to 1,054, where the pipeline gave 1,148 to 1,248.
"""

from __future__ import annotations

import os
import time
from typing import Any
from uuid import uuid4

import dramatiq  # type: ignore[import-not-found]
from dramatiq.brokers.redis import RedisBroker  # type: ignore[import-not-found]
from dramatiq.middleware import Middleware, Retries  # type: ignore[import-not-found]

from bench.peers import job, ready, threaded
from bench.peers.settings import DRAMATIQ_RETRIES


class Ready(Middleware):  # type: ignore[misc]
    """Tells when a process takes messages."""

    def after_worker_boot(self, *_: Any) -> None:
        ready.tell()


broker = RedisBroker(url=os.environ["PEER_REDIS"], middleware=[Retries(max_retries=DRAMATIQ_RETRIES), Ready()])
dramatiq.set_broker(broker)
deliver = dramatiq.actor(threaded.deliver, actor_name="deliver", broker=broker)


def enqueue(notifications: list[job.Notification]) -> None:
    at_once = [each for each in notifications if each.send_at is None]
    if at_once:
        _pipelined(at_once)
    for each in notifications:
        if each.send_at is not None:
            delay = max(0, round((each.send_at.timestamp() - time.time()) * 1_000))
            deliver.send_with_options(kwargs=each.task(), delay=delay)


def _pipelined(notifications: list[job.Notification]) -> None:
    messages = {}
    for each in notifications:
        key = str(uuid4())
        messages[key] = deliver.message_with_options(kwargs=each.task(), redis_message_id=key).encode()
    queue = f"{broker.namespace}:{deliver.queue_name}"
    with broker.client.pipeline() as pipeline:
        pipeline.hset(f"{queue}.msgs", mapping=messages)
        pipeline.rpush(queue, *messages)
        pipeline.execute()
