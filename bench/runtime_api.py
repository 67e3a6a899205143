"""As much of Lambda's Runtime API as one function needs: it asks for an invocation, is given one, and answers.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. A function is started as Lambda's own Python runtime
starts it: by ``python -m awslambdaric`` (the client that AWS publishes and its images run), in the function's folder.
"""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_PREFIX = "/2018-06-01/runtime"
_ARN = "arn:aws:lambda:us-east-1:000000000000:function:bench"
# Seconds in which a function must have come up or answered: Lambda gives the init phase ten.
PATIENCE = 30.0
# What the function is told it has left: long enough for any, and none of those that are measured waits for it.
_DEADLINE_MS = 20_000


class ColdStartError(Exception):
    """The function did not come up, or did not answer; with what it said."""


@dataclass(frozen=True)
class Answer:
    """What came back; ``failed``: the handler raised. ``seconds``: since the event was handed over."""

    document: Any
    failed: bool
    seconds: float


@dataclass
class RuntimeApi:
    """One function's end of the API. Moments are of ``time.perf_counter``."""

    asked: Queue[float] = field(default_factory=Queue)
    events: Queue[bytes] = field(default_factory=Queue)
    answers: Queue[tuple[float, str, bytes]] = field(default_factory=Queue)

    def first_asked(self) -> float:
        """When the function was ready for its next invocation. Raises ColdStartError where it never was."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                return self.asked.get(timeout=0.2)
            except Empty:
                if not self.answers.empty():
                    raise ColdStartError(self.answers.get()[2].decode()) from None
        raise ColdStartError(f"not ready within {PATIENCE:.0f} s")

    def invoke(self, event: Mapping[str, Any]) -> Answer:
        """Hand an event to the function that waits for one."""
        began = time.perf_counter()
        self.events.put(json.dumps(event).encode())
        try:
            moment, path, body = self.answers.get(timeout=PATIENCE)
        except Empty:
            raise ColdStartError(f"no answer within {PATIENCE:.0f} s") from None
        return Answer(json.loads(body), path.endswith("/error"), moment - began)


@contextmanager
def served() -> Iterator[tuple[RuntimeApi, str]]:
    """A Runtime API on a free port, and its address as a function is told it."""
    api = RuntimeApi()
    server = _Server(("127.0.0.1", 0), _endpoint(api))
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield api, f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A function is killed while it waits for its next invocation: its connection breaks, and that is all."""


def _endpoint(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """``/invocation/next``: held until there is one, as Lambda freezes a function that has nothing to do."""
            api.asked.put(time.perf_counter())
            body = api.events.get()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1_000) + _DEADLINE_MS))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", _ARN)
            self._body(body)

        def do_POST(self) -> None:
            """``/invocation/<id>/response``, ``/invocation/<id>/error`` and ``/init/error``."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            api.answers.put((time.perf_counter(), self.path.removeprefix(_PREFIX), body))
            self.send_response(202)
            self._body(b"{}")

        def _body(self, body: bytes) -> None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A line a request would be in the way of the figures."""

    return Endpoint


@dataclass(frozen=True)
class ColdStart:
    """One life of a function: from its process's start until it was ready, and its first answer, if it was asked."""

    init_seconds: float
    answer: Answer | None


def cold_start(
    python: Path, folder: Path, handler: str, environment: Mapping[str, str], event: Mapping[str, Any] | None
) -> ColdStart:
    """Start a function, hand it one event (or none), and end it."""
    with served() as (api, address):
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(python), "-m", "awslambdaric", handler],
            cwd=folder,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": address},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            ready = api.first_asked()
            return ColdStart(ready - began, None if event is None else api.invoke(event))
        finally:
            process.kill()
            process.wait()
