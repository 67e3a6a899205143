"""What every answer tells a browser, and what no request needs: headers in and out, in API Gateway's events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# The API answers with JSON, for the asker alone, and is never a page: nothing may run, frame or keep what it says.
SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
_EXPOSED = "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Idempotency-Replayed, Retry-After"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Nofy-Project, Nofy-Mode",
    "Access-Control-Max-Age": "600",
}
# Characters: a cursor and every filter together are under a thousand; a console token is under two.
LONGEST_QUERY = 4096
LONGEST_HEADER = 8192


def header(event: Mapping[str, Any], name: str) -> str | None:
    """A header's value, however its name is spelled."""
    return next((value for key, value in (event.get("headers") or {}).items() if key.lower() == name), None)


def crossing(event: Mapping[str, Any], origins: Collection[str]) -> dict[str, str]:
    """What lets another origin's page read the answer, if it is one of those; caches are told that it depends."""
    if not origins:
        return {}
    origin = header(event, "origin")
    allowed = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED}
    return {"Vary": "Origin"} | ({name: each for name, each in allowed.items() if each} if origin in origins else {})


def preflight(event: Mapping[str, Any], origins: Collection[str]) -> dict[str, str]:
    """What a browser asks before it sends a request for another origin's page."""
    return dict(_PREFLIGHT) if header(event, "origin") in origins else {}


def out_of_bounds(event: Mapping[str, Any]) -> str | None:
    """What is longer than anything that is asked for here, in words."""
    query = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters") or {}
    if sum(len(name) + sum(map(len, values)) for name, values in query.items()) > LONGEST_QUERY:
        return f"a query of at most {LONGEST_QUERY} characters"
    for name, value in (event.get("headers") or {}).items():
        if len(value) > LONGEST_HEADER:
            return f"{name[:100]}: at most {LONGEST_HEADER} characters"
    return None
