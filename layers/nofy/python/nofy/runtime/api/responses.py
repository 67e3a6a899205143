"""What a route answers, and how API Gateway wants to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nofy.domain.json_bytes import json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Response:
    """A status, a body of text, and headers of one value each."""

    status_code: int
    body: str
    headers: Mapping[str, str]

    def with_headers(self, more: Mapping[str, str]) -> dict[str, Any]:
        """As Lambda's proxy integration of a REST API takes it; what is in ``more`` goes before what the route said.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
        """
        return {
            "statusCode": self.status_code,
            "body": self.body,
            "isBase64Encoded": False,
            "multiValueHeaders": {name: [value] for name, value in {**self.headers, **more}.items()},
        }


def answer(
    status: int,
    document: dict[str, Any],
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> Response:
    """A JSON answer."""
    body = json_bytes(document).decode()
    return Response(status, body, {"Content-Type": content_type, **(headers or {})})
