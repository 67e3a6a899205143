"""The gateway's own refusals as problem documents (RFC 9457), so that they read like the API's errors.

Not one of these requests reaches the producer, hence none of them can be answered there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_apigateway as apigateway

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Problem:
    """``status`` None leaves it to the gateway: a default answers for many, and so cannot name one."""

    kind: str
    status: int | None
    code: str
    title: str
    headers: Mapping[str, str]


RETRY_SOON = {"Retry-After": "1"}

# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
PROBLEMS: tuple[Problem, ...] = (
    Problem("BAD_REQUEST_BODY", 400, "malformed_request", "The request body cannot be read", {}),
    Problem("UNAUTHORIZED", 401, "unauthorized", "The API token is missing or not valid", {}),
    Problem("ACCESS_DENIED", 403, "forbidden", "The request is not allowed", {}),
    Problem("WAF_FILTERED", 403, "request_blocked", "The request was blocked by the firewall", {}),
    # What the gateway says of a path it does not route: 403, about a token it never asked for.
    Problem("MISSING_AUTHENTICATION_TOKEN", 404, "not_found", "There is nothing at this address", {}),
    Problem("RESOURCE_NOT_FOUND", 404, "not_found", "There is nothing at this address", {}),
    Problem("REQUEST_TOO_LARGE", 413, "payload_too_large", "The request body is larger than 10 MB", {}),
    Problem("UNSUPPORTED_MEDIA_TYPE", 415, "unsupported_media_type", "The media type is not supported", {}),
    Problem("THROTTLED", 429, "rate_limited", "There are too many requests at the moment", RETRY_SOON),
    Problem("QUOTA_EXCEEDED", 429, "quota_exceeded", "The quota of requests is used up", {}),
    Problem("INTEGRATION_FAILURE", 503, "unavailable", "The service did not answer", RETRY_SOON),
    Problem("INTEGRATION_TIMEOUT", 504, "timed_out", "The service did not answer in time", RETRY_SOON),
    Problem("DEFAULT_4XX", None, "request_refused", "The request was refused", {}),
    Problem("DEFAULT_5XX", None, "internal_error", "The request failed on our side", RETRY_SOON),
)


def add_problem_responses(api: apigateway.RestApi) -> None:
    for problem in PROBLEMS:
        api.add_gateway_response(
            problem.kind.title().replace("_", ""),
            type=apigateway.ResponseType.of(problem.kind),
            status_code=None if problem.status is None else str(problem.status),
            response_headers={name: f"'{value}'" for name, value in _headers(problem).items()},
            # The key chooses the template by the caller's Accept header; the header above says what it is.
            templates={"application/json": _template(problem)},
        )


def _headers(problem: Problem) -> dict[str, str]:
    return {"Content-Type": "application/problem+json", **problem.headers}


def _template(problem: Problem) -> str:
    """Nothing the caller sent is echoed: a template is plain substitution, without escaping."""
    document: dict[str, str | int] = {"type": "about:blank", "title": problem.title, "code": problem.code}
    if problem.status is not None:
        document["status"] = problem.status
    return json.dumps({**document, "request_id": "$context.requestId"})
