"""What both sides of the contrast go by: Celery's settings, and the times in which the job tries again."""

from __future__ import annotations

from typing import Any

CHANNELS = ("slack", "email", "whatsapp")  # a queue and a worker each, as Nofy's consumers have them
CONCURRENCY = 4  # prefork processes a worker

# As shortened for Nofy in the same harness (faults/shortened.py): the provider's time, and how often it is tried.
PROVIDER_SECONDS = 2.0
MOST_ATTEMPTS = 12
# retry_backoff counts in whole seconds: 1, 2, 2 ... with full jitter.
BACKOFF_MOST_SECONDS = 2
# A result that PostgreSQL does not take is written again for so long, within the visibility time-out.
RECORD_SECONDS = 10.0
# An ETA is at most 5 s away, a retry 2, a call and its result take 12 at the worst: longer than all of them, since
# what is unacknowledged for longer is handed to somebody else (Celery's guide, "Visibility timeout").
VISIBILITY_SECONDS = 20

SETTINGS: dict[str, Any] = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_acks_on_failure_or_timeout": True,
    "worker_prefetch_multiplier": 1,
    "broker_transport_options": {"visibility_timeout": VISIBILITY_SECONDS, "socket_timeout": 5},
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    # The default, said aloud: a task whose worker lost the broker is left to finish, and writes its result.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "task_ignore_result": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_default_queue": "slack",
    "worker_hijack_root_logger": True,
}
