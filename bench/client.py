"""A client's server: requests for notifications, by the producer's own handler in this process.

What API Gateway does is left out; what the function does is all there: its event, the token, validation, the row, the
index.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from faults.workers import Context, load_handler, request_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bench.machine import Project
    from faults.spec import Addresses

REQUEST = 100  # notifications in one request, the most there may be


def notification(number: int, *, send_at: datetime | None = None, **more: Any) -> dict[str, Any]:
    """One e-mail. The stub finds its number in the text."""
    body = {
        "to": {"email": f"ada-{number}@example.com"},
        "channels": ["email"],
        "content": {"subject": "Deploy finished", "text": f"Build 42 is live, says bench-{number}"},
        **more,
    }
    return body if send_at is None else {**body, "send_at": send_at.isoformat()}


class Client:
    """One project's, with a producer of its own."""

    def __init__(self, addresses: Addresses, project: Project) -> None:
        self._handler = load_handler("producer", addresses).handler
        self._headers = project.headers

    def accept(self, items: Sequence[dict[str, Any]]) -> None:
        """In requests of a hundred."""
        for start in range(0, len(items), REQUEST):
            self.post("/v1/notifications/batch", {"notifications": items[start : start + REQUEST]})

    def accept_one(self, item: dict[str, Any]) -> None:
        self.post("/v1/notifications", item)

    def post(self, path: str, body: dict[str, Any]) -> None:
        """Taken, or AssertionError. The answer is not read: that is another machine's work."""
        answer = self._handler(request_event("POST", path, json.dumps(body), self._headers), Context(uuid4().hex))
        assert answer["statusCode"] == 202, answer["body"]
