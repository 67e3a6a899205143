"""Whether a new stack answers and delivers: one notification of a test token, over every channel, to its end.

A test token's notification walks the whole chain and stops in the senders, so nobody and no simulator hears of it.
What it takes are the cold starts: better here than in somebody's first request.
"""

from __future__ import annotations

import time
import urllib.error

from local.client import Client, RefusedError
from local.sessions import emulated
from local.stack import STAGE
from nofy.domain.routing import Channel
from nofy.domain.tokens import Mode
from nofy.runtime.operator import Operator

PATIENCE_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.05

NOTIFICATION = {
    "to": {"email": "probe@example.com", "phone": "+15550100000", "slack_channel": "C0PROBE"},
    "channels": [each.value for each in Channel],
    "content": {"subject": "probe", "text": "probe"},
    "class": "critical",
    "reference": "make up",
}


class ProbeError(Exception):
    """The stack is up and does not deliver; the message says how far it got."""


def probe(api_url: str, project_id: str) -> None:
    """Return when the notification was sent and acknowledged on every channel."""
    token = Operator(STAGE, emulated()).create_token(project_id, Mode.TEST)["token"]
    client = Client(api_url, token)
    deadline = time.monotonic() + PATIENCE_SECONDS
    link = _accepted(client, deadline)
    while (seen := client.get(link))["status"] != "sent":
        if time.monotonic() > deadline:
            states = ", ".join(f"{each['channel']} {each['status']}" for each in seen["deliveries"])
            raise ProbeError(f"the stack accepted a notification and did not deliver it ({states}): make logs")
        time.sleep(LOOK_EVERY_SECONDS)


def _accepted(client: Client, deadline: float) -> str:
    """The notification's link; the gateway may need a moment to know its routes."""
    while True:
        try:
            return str(client.post("/v1/notifications", NOTIFICATION)["links"]["self"])
        except (RefusedError, urllib.error.URLError, ConnectionError) as error:
            if time.monotonic() > deadline:
                raise ProbeError(f"the API does not answer as it should: {error} (make logs F=producer)") from error
            time.sleep(LOOK_EVERY_SECONDS)
