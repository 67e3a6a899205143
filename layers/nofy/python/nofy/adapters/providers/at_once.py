"""The standard library's connections, whose requests leave in one piece.

``http.client`` sends head and body apart: two packets, two records of TLS, and a server that wakes up twice.
"""

from __future__ import annotations

from http.client import HTTPConnection, HTTPSConnection
from typing import Any


class AtOnce(HTTPConnection):
    """Keeps what a request consists of until it is whole."""

    _held: list[bytes] | None = None

    def request(self, *arguments: Any, **more: Any) -> None:
        held = self._held = []
        try:
            super().request(*arguments, **more)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)


class SecureAtOnce(AtOnce, HTTPSConnection):
    """The same through TLS."""
