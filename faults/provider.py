"""The stub provider: Slack, Brevo and WhatsApp on one port, with a ledger of its own that nobody else writes.

A message's text scripts how its first calls are answered: ``script=503*2`` fails twice, then accepts. The ledger is an
append-only file of JSON lines; a line is written before the answer leaves.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from faults.spec import end_with_parent

# Longer than the consumers' (shortened) patience with a provider.
HANG_SECONDS = 3.5
SLOW_SECONDS = 0.6
REFUSED = "refused"  # what a credential ends in that nobody should take
_SCRIPT = re.compile(r"script=([\w]+)\*(\d+)")


@dataclass(frozen=True)
class Call:
    """One request that reached the provider."""

    at: float
    provider: str
    delivery_id: str
    attempt_no: int
    credential: str
    result: str  # accepted, duplicate (Brevo knew the key), refused_credential, or what the script said

    @property
    def accepted(self) -> bool:
        """The provider took the message, whatever it answered."""
        return self.result in ("accepted", "lost", "slow")


@dataclass(frozen=True)
class _Asked:
    """The parts of a request that matter here."""

    provider: str
    delivery_id: str
    text: str
    credential: str
    key: str | None = None


def read_ledger(path: Path) -> list[Call]:
    return [Call(**json.loads(line)) for line in path.read_text().splitlines()]


def serve(port: int, ledger: str) -> None:
    """Until somebody ends the process, or whoever started it is gone."""
    end_with_parent()
    _Server(port, Path(ledger)).serve_forever()


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def __init__(self, port: int, ledger: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._ledger = ledger.open("a", buffering=1)
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._keys: set[str] = set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers are killed all the time: a connection that breaks is no news."""

    def decide(self, asked: _Asked, attempt_no: int) -> str:
        """What happens to this call, noted."""
        with self._lock:
            self._calls[asked.delivery_id] += 1
            result = self._result(asked)
            call = Call(time.time(), asked.provider, asked.delivery_id, attempt_no, asked.credential, result)
            if call.accepted and asked.key:
                self._keys.add(asked.key)
            self._ledger.write(json.dumps(asdict(call)) + "\n")
        return result

    def _result(self, asked: _Asked) -> str:
        if asked.credential.endswith(REFUSED):
            return "refused_credential"
        if asked.key in self._keys:
            return "duplicate"
        script = _SCRIPT.search(asked.text)
        if script and self._calls[asked.delivery_id] <= int(script[2]):
            return script[1]
        return "accepted"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked = _read(self.path, self.headers, body)
        result = self.server.decide(asked, int(self.headers["x-harness-attempt"]))
        if result in ("reset", "lost", "hang"):
            if result == "hang":
                time.sleep(HANG_SECONDS)
            self.close_connection = True
            self.connection.close()
            return
        if result == "slow":
            time.sleep(SLOW_SECONDS)
        self._answer(*_ANSWERS[asked.provider](result))

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        more = "Retry-After: 1\r\n" if status == 429 else ""
        head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def _read(path: str, headers: Any, body: dict[str, Any]) -> _Asked:
    provider = path.split("/")[1]
    if provider == "brevo":
        key, delivery_id = body["headers"]["idempotencyKey"], body["headers"]["X-Mailin-custom"]
        return _Asked(provider, delivery_id, body["textContent"], headers["api-key"], key)
    credential = headers["authorization"].removeprefix("Bearer ")
    if provider == "slack":
        return _Asked(provider, body["metadata"]["event_payload"]["delivery_id"], body["text"], credential)
    return _Asked(provider, body["biz_opaque_callback_data"], body["text"]["body"], credential)


def _slack(result: str) -> tuple[int, dict[str, Any]]:
    match result:
        case "429" | "503":
            return int(result), {}
        case "refuse":
            return 200, {"ok": False, "error": "channel_not_found"}
        case "refused_credential":
            return 200, {"ok": False, "error": "invalid_auth"}
    return 200, {"ok": True, "channel": "C0", "ts": "1.0"}


def _brevo(result: str) -> tuple[int, dict[str, Any]]:
    match result:
        case "429" | "503":
            return int(result), {}
        case "refuse":
            return 400, {"code": "invalid_parameter", "message": "email is not valid in to"}
        case "refused_credential":
            return 401, {"code": "unauthorized", "message": "Key not found"}
        case "duplicate":
            return 400, {"code": "duplicate_parameter", "message": "the key was used"}
    return 201, {"messageId": "<1@brevo>"}


def _whatsapp(result: str) -> tuple[int, dict[str, Any]]:
    match result:
        case "429":
            return 429, {}
        case "503":
            return 503, {}
        case "refuse":
            return 400, {"error": {"code": 131026, "message": "undeliverable"}}
        case "refused_credential":
            return 401, {"error": {"code": 190, "message": "token expired"}}
    return 200, {"messages": [{"id": "wamid.1"}]}


_ANSWERS = {"slack": _slack, "brevo": _brevo, "whatsapp": _whatsapp}
