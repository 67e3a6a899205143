"""The job in Celery, as a careful user writes it. Runs in Celery's own environment and knows nothing of Nofy.

What Celery's guide advises against loss is set: late acknowledgement, a lost child's task goes back, one message
prefetched a process, a visibility time-out longer than any ETA or retry. The task asks first whether its result is
known, repeats the write of a result rather than the whole task, and gives Brevo a key of idempotency.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import Any

import psycopg2
import requests
from celery import Celery  # type: ignore[import-not-found]
from celery.signals import worker_ready  # type: ignore[import-not-found]

from faults.contrast.settings import (
    BACKOFF_MOST_SECONDS,
    CHANNELS,
    MOST_ATTEMPTS,
    PROVIDER_SECONDS,
    RECORD_SECONDS,
    SETTINGS,
)

AGAIN = {429, 500, 502, 503, 504}
_RECORD = "INSERT INTO celery_results (id, status, reason) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"

app = Celery("contrast", broker=os.environ["CONTRAST_REDIS"])
app.conf.update(SETTINGS)


class TryAgainError(Exception):
    """The provider could not take it now."""


class RefusedError(Exception):
    """The provider will never take it."""


@worker_ready.connect  # type: ignore[untyped-decorator]
def _tell(**_: Any) -> None:
    """So that the harness knows when a worker that it started can be killed in its work and not in its start."""
    with open(os.environ["CONTRAST_READY"], "w") as mark:  # noqa: PTH123
        mark.write(str(os.getpid()))


def _deliver(self: Any, delivery_id: str, channel: str, text: str) -> None:
    if _query("SELECT 1 FROM celery_results WHERE id = %s", delivery_id):
        return
    try:
        _call(delivery_id, channel, text, self.request.retries + 1)
    except RefusedError as error:
        _record(delivery_id, "failed", str(error))
    except (TryAgainError, requests.RequestException) as error:
        if self.request.retries >= self.max_retries:
            _record(delivery_id, "failed", f"exhausted: {error}")
        else:
            raise
    else:
        _record(delivery_id, "sent", None)


# (as a call, not as a decorator, which would leave the function without a type)
deliver = app.task(
    _deliver,
    bind=True,
    name="deliver",
    autoretry_for=(TryAgainError, requests.RequestException, psycopg2.OperationalError),
    retry_backoff=1,
    retry_backoff_max=BACKOFF_MOST_SECONDS,
    retry_jitter=True,
    max_retries=MOST_ATTEMPTS - 1,
)


def _record(delivery_id: str, status: str, reason: str | None) -> None:
    """Again while PostgreSQL restarts: raised at once, it would have the provider called anew."""
    deadline = time.monotonic() + RECORD_SECONDS
    while True:
        try:
            _query(_RECORD, delivery_id, status, reason)
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _query(text: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with (
        closing(psycopg2.connect(os.environ["CONTRAST_POSTGRES"], connect_timeout=3)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(text, parameters)
        return cursor.fetchall() if cursor.description else []


def _call(delivery_id: str, channel: str, text: str, attempt_no: int) -> None:
    path, headers, body = _request(delivery_id, channel, text)
    answer = requests.post(
        os.environ["CONTRAST_PROVIDER"] + path,
        json=body,
        headers={**headers, "x-harness-attempt": str(attempt_no)},
        timeout=PROVIDER_SECONDS,
    )
    document = answer.json()
    if document.get("code") == "duplicate_parameter":
        return  # Brevo has it
    if answer.status_code in AGAIN:
        raise TryAgainError(f"HTTP {answer.status_code}")
    if answer.status_code >= 400 or document.get("ok") is False:
        raise RefusedError(f"{answer.status_code}: {document}")


def _request(delivery_id: str, channel: str, text: str) -> tuple[str, dict[str, str], dict[str, Any]]:
    """As the three providers have it, without what the stub does not read."""
    bearer = {"Authorization": "Bearer contrast"}
    if channel == "email":
        headers = {"idempotencyKey": delivery_id, "X-Mailin-custom": delivery_id}
        return "/brevo/smtp/email", {"api-key": "contrast"}, {"textContent": text, "headers": headers}
    if channel == "slack":
        payload = {"event_type": "contrast", "event_payload": {"delivery_id": delivery_id}}
        return "/slack/chat.postMessage", bearer, {"text": text, "metadata": payload}
    assert channel in CHANNELS
    return "/whatsapp/messages", bearer, {"biz_opaque_callback_data": delivery_id, "text": {"body": text}}
