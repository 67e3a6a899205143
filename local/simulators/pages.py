"""The inbox: its page, its JSON and its live events.

* ``GET /inbox/messages?channel=&q=&outcome=&after=&before=&limit=``: ``{"messages": [...], "counts": {...},
  "last": 12}`` in order of arrival. `outcome` is ``accepted`` (the default), ``refused`` or ``all``; `after`
  and `before` are a message's id or its `seq`.
* ``DELETE /inbox/messages`` empties it.
* ``GET /inbox/events``: server-sent events ``hello`` (which process), ``messages`` (a list) and ``cleared``.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from local.simulators.exchange import Reply, Request
from local.simulators.messages import Search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.simulators.world import World

_FOLDER: Final = Path(__file__).with_name("inbox")
_FILES: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/inbox": ("index.html", "text/html; charset=utf-8"),
    "/inbox/inbox.css": ("inbox.css", "text/css; charset=utf-8"),
    "/inbox/icons.js": ("icons.js", "text/javascript; charset=utf-8"),
    "/inbox/markup.js": ("markup.js", "text/javascript; charset=utf-8"),
    "/inbox/channels.js": ("channels.js", "text/javascript; charset=utf-8"),
    "/inbox/inbox.js": ("inbox.js", "text/javascript; charset=utf-8"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),
    "/inbox/icon.svg": ("icon.svg", "image/svg+xml"),
}
# Messages hold whatever somebody sent: no script but ours runs, nothing can be posted or framed. Frames with
# an e-mail inherit this; pictures of an e-mail may come from anywhere, as in a mail program.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' https: http: data:; font-src 'self' data:; frame-src 'none'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_HEARTBEAT: Final = 15.0  # seconds; a proxy in between cuts quiet streams after 30 or 60
_GATHER: Final = 0.1  # seconds; a burst of messages becomes one event instead of hundreds
_OUTCOMES: Final[dict[str, bool | None]] = {"accepted": True, "refused": False, "all": None}


class Pages:
    """``/`` and ``/inbox/*``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._process = secrets.token_hex(4)

    def answer(self, request: Request) -> Reply | None:
        """None when there is no such page."""
        if file := _FILES.get(request.path):
            return _file(*file)
        match request.method, request.path:
            case "GET", "/health":
                counts = self._world.inbox.counts()
                return Reply.json({"status": "ok", **counts, "calls": len(self._world.ledger)})
            case "GET", "/inbox/messages":
                return self._list(request)
            case "DELETE", "/inbox/messages":
                self._world.inbox.clear()
                return Reply.json({"messages": []})
            case "GET", "/inbox/events":
                return self._events(request)
            case _:
                return None

    def _list(self, request: Request) -> Reply:
        try:
            search = _search(request)
        except (ValueError, KeyError) as error:
            return Reply.json({"error": f"cannot be searched by: {error}"}, 400)
        inbox = self._world.inbox
        answer: dict[str, Any] = {"messages": [message.shown() for message in inbox.find(search)]}
        return Reply.json(answer | {"counts": inbox.counts(), "last": inbox.last, "process": self._process})

    def _events(self, request: Request) -> Reply:
        """From `after` on, or from where a broken stream of this same process ended."""
        process, _, seq = request.header("last-event-id").partition(".")
        resumed = process == self._process and seq.isdigit()
        after = int(seq) if resumed else _seq(request.query.get("after", "0"))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Reply(content_type="text/event-stream", headers=headers, stream=self._stream(after))

    def _stream(self, after: int) -> Iterator[bytes]:
        inbox, stopping = self._world.inbox, self._world.stopping
        clears = inbox.clears
        yield self._event("hello", {"process": self._process, "last": inbox.last}, after)
        while not stopping.is_set():
            messages, seen = inbox.wait(after, clears, _HEARTBEAT)
            if seen != clears:
                clears = seen
                yield self._event("cleared", {}, after)
            if messages:
                after = messages[-1].seq
                yield self._event("messages", [message.shown() for message in messages], after)
                stopping.wait(_GATHER)
            else:
                yield b": still here\n\n"

    def _event(self, name: str, data: Any, seq: int) -> bytes:
        return f"event: {name}\nid: {self._process}.{seq}\ndata: {json.dumps(data)}\n\n".encode()


def _file(name: str, content_type: str) -> Reply:
    """Read each time: 30 KB from the page cache, and a changed page needs no restart."""
    body = (_FOLDER / name).read_bytes()
    return Reply(body=body, content_type=content_type, headers=_PAGE_HEADERS)


def _search(request: Request) -> Search:
    query = request.query
    return Search(
        channel=query.get("channel", ""),
        words=query.get("q", "").strip(),
        accepted=_OUTCOMES[query.get("outcome", "accepted")],
        after=_seq(query["after"]) if query.get("after") else None,
        before=_seq(query["before"]) if query.get("before") else None,
        limit=max(1, min(5_000, int(query.get("limit", "1000")))),
    )


def _seq(text: str) -> int:
    return int(text.removeprefix("msg_"))
