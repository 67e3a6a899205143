"""The gateway's own refusals as problem documents (RFC 9457), with the codes and the shape of the API's errors.

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
    """What the gateway answers for one type of refusal; ``code`` is what clients branch on."""

    kind: str
    status: int
    code: str
    title: str
    headers: Mapping[str, str]


RETRY_SOON = {"Retry-After": "1"}

# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
PROBLEMS: tuple[Problem, ...] = (
    Problem("BAD_REQUEST_BODY", 400, "malformed_json", "The body is not valid JSON", {}),
    Problem("BAD_REQUEST_PARAMETERS", 400, "request_refused", "The request was refused", {}),
    Problem("UNAUTHORIZED", 401, "unauthenticated", "A valid API token is needed", {}),
    Problem("ACCESS_DENIED", 403, "forbidden", "The request is not allowed", {}),
    Problem("EXPIRED_TOKEN", 403, "forbidden", "The request is not allowed", {}),
    Problem("INVALID_API_KEY", 403, "forbidden", "The request is not allowed", {}),
    Problem("INVALID_SIGNATURE", 403, "forbidden", "The request is not allowed", {}),
    Problem("WAF_FILTERED", 403, "request_blocked", "The request was blocked by the firewall", {}),
    # What the gateway says of a path it does not route: 403, about a token it never asked for.
    Problem("MISSING_AUTHENTICATION_TOKEN", 404, "no_such_route", "There is no such route", {}),
    Problem("RESOURCE_NOT_FOUND", 404, "no_such_route", "There is no such route", {}),
    Problem("REQUEST_TOO_LARGE", 413, "request_too_large", "The request is over 10 MB", {}),
    Problem("UNSUPPORTED_MEDIA_TYPE", 415, "unsupported_media_type", "The media type is not supported", {}),
    Problem("THROTTLED", 429, "rate_limited", "There are too many requests at the moment", RETRY_SOON),
    Problem("QUOTA_EXCEEDED", 429, "quota_exceeded", "The quota of requests is used up", {}),
    Problem("INTEGRATION_FAILURE", 503, "temporarily_unavailable", "The service did not answer", RETRY_SOON),
    Problem("INTEGRATION_TIMEOUT", 504, "timed_out", "The service did not answer in time", RETRY_SOON),
    # Whatever is left. A default would keep the status it stands in for, but a document must name one.
    Problem("DEFAULT_4XX", 400, "request_refused", "The request was refused", {}),
    Problem("DEFAULT_5XX", 500, "internal_error", "Something went wrong here", RETRY_SOON),
)


def add_problem_responses(api: apigateway.RestApi) -> None:
    for problem in PROBLEMS:
        api.add_gateway_response(
            problem.kind.title().replace("_", ""),
            type=apigateway.ResponseType.of(problem.kind),
            status_code=str(problem.status),
            response_headers={name: f"'{value}'" for name, value in _headers(problem).items()},
            # The key chooses the template by the caller's Accept header; the header above says what it is.
            templates={"application/json": _template(problem)},
        )


def _headers(problem: Problem) -> dict[str, str]:
    return {"Content-Type": "application/problem+json", **problem.headers}


def _template(problem: Problem) -> str:
    """Nothing the caller sent is echoed: a template is plain substitution, without escaping."""
    return json.dumps(
        {
            "type": f"urn:nofy:problem:{problem.code}",
            "title": problem.title,
            "status": problem.status,
            "code": problem.code,
            "request_id": "$context.requestId",
        }
    )
