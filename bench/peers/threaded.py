"""The task of the peers whose workers are threads: a connection of each kind per thread, kept open.

``http.client`` and psycopg2, since they are the quickest here (dramatiq, 2 x 16 threads): 1,356 to 1,500 tasks/s, where
urllib3 gave 927 to 973, and psycopg 3 took a quarter more of the processor than psycopg2.
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from bench.peers import job

AGAIN = (job.ProviderUnavailableError, OSError, HTTPException, psycopg2.OperationalError)

_mine = threading.local()


def deliver(notification_id: str, recipient: str, subject: str | None, text: str) -> None:
    """What is raised is one of :data:`AGAIN`, for which the library has it done again."""
    started = datetime.now(UTC)
    status, answer = _call(job.provider_body(notification_id, recipient, subject, text))
    found = job.outcome(status, answer)
    execute(job.RECORD, {**found, "id": notification_id, "started": started, "finished": datetime.now(UTC)})


def accept(notifications: list[job.Notification]) -> None:
    """Their rows, committed."""
    execute(job.INSERT, job.columns(notifications))


def execute(statement: str, parameters: Any) -> None:
    """A transaction of its own, in one round trip."""
    with _database().cursor() as cursor:
        cursor.execute(statement, parameters)


def _database() -> Any:
    connection = getattr(_mine, "database", None)
    if connection is None or connection.closed:
        connection = _mine.database = psycopg2.connect(os.environ["PEER_POSTGRES"])
        connection.autocommit = True
    return connection


def _call(body: bytes) -> tuple[int, bytes]:
    """On this thread's connection, which is made anew after an error."""
    provider = getattr(_mine, "provider", None)
    if provider is None:
        address = urlsplit(os.environ["PEER_PROVIDER"])
        assert address.hostname
        provider = _mine.provider = HTTPConnection(address.hostname, address.port, timeout=job.PROVIDER_SECONDS)
    try:
        provider.request("POST", job.PROVIDER_PATH, body, job.PROVIDER_HEADERS)
        answer = provider.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        provider.close()
        raise
