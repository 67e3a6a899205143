"""One HTTP exchange as plain values, so that providers are functions from a request to a reply.

A reply may also be a misbehaviour: what the socket does afterwards is part of it (:class:`Ending`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Ending(Enum):
    """What happens on the connection once the reply is decided."""

    ANSWER = auto()
    CLOSE = auto()  # an orderly close without an answer: the client sees "remote end closed connection"
    RESET = auto()  # a TCP reset: the client sees "connection reset by peer"
    SILENCE = auto()  # nothing at all, until the client gives up


@dataclass(frozen=True, slots=True)
class Request:
    """A request, read whole. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
        """Split the request target; the path is decoded, of a repeated query parameter the last counts."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method, unquote(parts.path), query, headers, body)

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    @property
    def bearer(self) -> str | None:
        """The bearer token, or None when there is none."""
        scheme, _, token = self.header("authorization").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None

    @property
    def media_type(self) -> str:
        return self.header("content-type").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the simulator answers, and how."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.ANSWER
    stream: Iterator[bytes] | None = None

    @classmethod
    def json(cls, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        return cls(status, json.dumps(body, ensure_ascii=False).encode(), headers=headers or {})

    @classmethod
    def text(cls, body: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Reply:
        return cls(status, body.encode(), content_type)

    def ending_with(self, ending: Ending) -> Reply:
        return replace(self, ending=ending)

    def with_headers(self, headers: Mapping[str, str]) -> Reply:
        return replace(self, headers={**self.headers, **headers})


HTML_503 = Reply.text(
    "<!DOCTYPE html>\n<html><head><title>503 Service Temporarily Unavailable</title></head>\n"
    "<body><center><h1>503 Service Temporarily Unavailable</h1></center></body></html>\n",
    status=503,
    content_type="text/html",
)
