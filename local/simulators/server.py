"""The server: one port, a thread per connection, keep-alive, and sockets that misbehave on request."""

from __future__ import annotations

import select
import socket
import struct
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

from local.simulators.control import Control
from local.simulators.exchange import Ending, Reply, Request
from local.simulators.pages import Pages
from local.simulators.providers import Providers
from local.simulators.world import World

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from local.simulators.rates import Limits

BODY_LIMIT: Final = 32 * 1024 * 1024  # Brevo's 20 MB in base64, and some
SILENCE: Final = 90.0  # seconds a hanging call is held: longer than any sender of ours lives
_IDLE: Final = 600.0  # seconds a keep-alive connection may be quiet
# A page of another site must not read the inbox or pull the levers in a visitor's browser.
_OURS_ONLY: Final = ("/_control", "/inbox")


class Application:
    """Request in, reply out."""

    def __init__(self, world: World) -> None:
        self.world = world
        providers = Providers(world)
        self._providers = providers
        self._control = Control(world, providers)
        self._pages = Pages(world)

    def answer(self, request: Request) -> Reply:
        elsewhere = request.header("sec-fetch-site") in {"cross-site", "same-site"}
        if elsewhere and request.path.startswith(_OURS_ONLY):
            return Reply.json({"error": "asked by another site"}, 403)
        if request.path.startswith("/_control/"):
            return self._control.answer(request)
        found = self._providers.answer(request) or self._pages.answer(request)
        return found or Reply.json({"error": f"nothing at {request.path}"}, 404)


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, writes a reply. One instance per connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # head and body leave in one segment
    timeout = _IDLE
    server: Server
    server_version = "nofy-simulators"
    sys_version = ""

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            self._write(Reply.json({"error": "a body needs a Content-Length of at most 32 MB"}, 413))
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._finish_with(self._answer(Request.of(self.command, self.path, headers, body)))

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - names the base class calls

    def _answer(self, request: Request) -> Reply:
        try:
            return self.server.application.answer(request)
        except Exception:  # noqa: BLE001 - a bug of the simulator must look like one, to the caller and in the log
            traceback.print_exc(file=sys.stderr)
            return Reply.json({"error": "the simulator itself failed; see its log"}, 500)

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > BODY_LIMIT:
            return None
        return self.rfile.read(int(length))

    def _finish_with(self, reply: Reply) -> None:
        match reply.ending:
            case Ending.ANSWER:
                self._write(reply)
            case Ending.CLOSE:
                self.close_connection = True
            case Ending.RESET:
                # Linger with zero seconds turns the close into a TCP reset.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
            case Ending.SILENCE:
                self._be_silent()
                self.close_connection = True

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.stream is not None:
            self._write_stream(reply)
            return
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _write_stream(self, reply: Reply) -> None:
        """Ends when the reader leaves."""
        self.close_connection = True
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for part in reply.stream or ():
                self.wfile.write(part)
                self.wfile.flush()
        except (ConnectionError, TimeoutError):
            return

    def _be_silent(self) -> None:
        """Hold the connection until the caller gives up, so that no thread outlives its reader."""
        waited = 0.0
        while waited < SILENCE and not self.server.application.world.stopping.wait(0.1):
            waited += 0.1
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        if self.server.verbose:
            super().log_message(format, *args)


class Server(ThreadingHTTPServer):
    """All simulators on one address. Use it as a context manager to run it in a thread."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256  # the default of 5 resets bursts of connections
    allow_reuse_address = True
    poll_seconds = 0.05  # how soon a stop is noticed

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        state_dir: Path | None = None,
        limits: Limits | None = None,
        verbose: bool = False,
        world: World | None = None,
    ) -> None:
        self.application = Application(world or World.create(state_dir, limits))
        self.verbose = verbose
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def server_bind(self) -> None:
        """Without the reverse look-up of the host's name that ``http.server`` does: it can take seconds."""
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is everyday life here; everything else is a bug to be seen."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(self.poll_seconds,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self.application.world.close()
        self.shutdown()
        self.server_close()
