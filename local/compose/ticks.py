"""The clock of EventBridge Scheduler, where the emulator keeps schedules and does not start what they name."""

from __future__ import annotations

import logging
import os
import threading

from botocore.exceptions import BotoCoreError, ClientError

from local.deployment import kick, lambda_client
from local.environment import isolate

PERIOD_SECONDS = 60.0

log = logging.getLogger("ticks")


def start_ticking(endpoint_url: str) -> None:
    """Each minute, in the background. A tick too many does no harm: the newest run takes over from the others."""
    isolate(os.environ, endpoint_url)
    threading.Thread(target=_tick_for_ever, daemon=True).start()


def _tick_for_ever() -> None:
    client = lambda_client()
    pause = threading.Event()
    while not pause.wait(PERIOD_SECONDS):
        try:
            kick(client)
        except (BotoCoreError, ClientError):
            log.warning("a tick was missed", exc_info=True)
