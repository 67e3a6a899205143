"""One origin, as the distribution in the cloud: files with its headers, and the API passed through."""

from __future__ import annotations

import http.client
import json
import mimetypes
import sys
import traceback
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from infra.page_headers import content_security_policy

if TYPE_CHECKING:
    from pathlib import Path

API_SECONDS: Final = 30.0
# Of one connection alone (RFC 9110, 7.6.1), and the name that only the API's own address has.
NOT_PASSED_ON: Final = frozenset(
    "connection host keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade".split()
)


@dataclass(frozen=True)
class Site:
    """Where the files are, what they are told, and who answers for the API."""

    files: Path
    api_url: str
    appwrite_endpoint: str
    appwrite_project: str

    @property
    def config(self) -> bytes:
        appwrite = {"endpoint": self.appwrite_endpoint, "project": self.appwrite_project, "oauth": ["simulated"]}
        return json.dumps({"appwrite": appwrite}).encode()

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Security-Policy": content_security_policy(self.appwrite_endpoint),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }

    def file(self, path: str) -> Path:
        """The file of a path; what has no dot in its last part is the one page, which routes by itself."""
        wanted = (self.files / unquote(path).lstrip("/")).resolve()
        inside = wanted.is_relative_to(self.files.resolve())
        return wanted if inside and "." in wanted.name else self.files / "index.html"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: Server

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        if path == "/v1" or path.startswith("/v1/"):
            self._pass_on()
        elif self.command not in ("GET", "HEAD"):
            self._answer(405, b"", {})
        elif path == "/config.json":
            self._answer(
                200, self.server.site.config, {"Content-Type": "application/json", "Cache-Control": "no-store"}
            )
        else:
            self._file(path)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815  # the base's names

    def _file(self, path: str) -> None:
        file = self.server.site.file(path)
        if not file.is_file():
            self._answer(404, b"no such file", {"Content-Type": "text/plain"})
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        # Vite names a file after its content; the page that names the files is asked for each time.
        kept = "public, max-age=31536000, immutable" if "assets" in file.parts else "no-cache"
        self._answer(200, file.read_bytes(), {"Content-Type": kind, "Cache-Control": kept})

    def _pass_on(self) -> None:
        target = urlsplit(self.server.site.api_url)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON}
        connection = http.client.HTTPConnection(target.netloc, timeout=API_SECONDS)
        try:
            connection.request(self.command, target.path + self.path, body, headers)
            reply = connection.getresponse()
            passed = {name: value for name, value in reply.getheaders() if name.lower() not in NOT_PASSED_ON}
            passed.pop("Content-Length", None)
            self._answer(reply.status, reply.read(), passed)
        except OSError as error:
            self._answer(502, f"the API does not answer: {error}".encode(), {"Content-Type": "text/plain"})
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        own = {} if self.path.startswith("/v1") else self.server.site.headers
        self.send_response(status)
        for name, value in {**own, **headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
        pass


class Server(ThreadingHTTPServer):
    """A thread per connection, on one address."""

    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, host: str, port: int, site: Site) -> None:
        self.site = site
        super().__init__((host, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """A browser that went away is everyday life here; everything else is a bug to be seen."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            traceback.print_exc()
