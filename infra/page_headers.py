"""What the dashboard's page may load and ask, said once for the distribution and for the stack on one machine."""

from __future__ import annotations

from urllib.parse import urlsplit


def content_security_policy(appwrite_endpoint: str | None) -> str:
    """Scripts and requests of its own origin, and requests to where people sign in; nothing else, and no frames.

    Styles may stand in the page: the component library writes them there as it draws.
    """
    asked = ["'self'"]
    if appwrite_endpoint:
        parts = urlsplit(appwrite_endpoint)
        asked.append(f"{parts.scheme}://{parts.netloc}")
    rules = {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "connect-src": " ".join(asked),
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())
