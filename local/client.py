"""A client of Nofy's API as any server would write one: a base address, a token, JSON in and out."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT = 30


class RefusedError(Exception):
    """The API answered with a problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {json.dumps(problem)}")
        self.status = status
        self.problem = problem


@dataclass(frozen=True)
class Client:
    """Calls of one project."""

    api_url: str
    token: str

    def get(self, path: str) -> dict[str, Any]:
        return self.call("GET", path)

    def call_list(self, path: str) -> list[dict[str, Any]]:
        """A GET whose answer is a list."""
        return list(self._ask("GET", path, None, {}))

    def post(self, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        return self.call("POST", path, body, **headers)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """The answer's JSON; :class:`RefusedError` for every status that is not a success."""
        return dict(self._ask(method, path, body, headers))

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        request = urllib.request.Request(
            self.api_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "authorization": f"Bearer {self.token}",
                "content-type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise RefusedError(refusal.code, _problem(refusal.read())) from None


def _problem(body: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(body))
    except ValueError:
        return {"code": "not_json", "body": body[:200].decode(errors="replace")}
