"""A Brevo that can be down: it answers 503 for as long as a file exists, and notes every call before it answers."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from faults.spec import end_with_parent

UP, DOWN = 201, 503


@dataclass(frozen=True)
class Noted:
    """One call."""

    at: float
    status: int
    delivery_id: str


def read_notes(path: Path) -> list[Noted]:
    lines = (line.split() for line in path.read_text().splitlines())
    return [Noted(float(at), int(status), delivery_id) for at, status, delivery_id in lines]


def serve(port: int, notes: str, down: str) -> None:
    """Until somebody ends the process, or whoever started it is gone."""
    end_with_parent()
    _Server(port, Path(notes), Path(down)).serve_forever()


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def __init__(self, port: int, notes: Path, down: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._notes = notes.open("a", buffering=1)
        self._down = down
        self._lock = threading.Lock()

    def note(self, delivery_id: str) -> int:
        with self._lock:
            status = DOWN if self._down.exists() else UP
            self._notes.write(f"{time.time():.6f} {status} {delivery_id}\n")
        return status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status = self.server.note(body["headers"]["X-Mailin-custom"])
        answer = json.dumps({"messageId": "<1@brevo>"} if status == UP else {}).encode()
        head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
        self.wfile.write(head.encode() + answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
