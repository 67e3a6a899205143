"""What AppWrite says and how: its envelope of errors, its cookies, its CORS (reference, 4.1 and 4.4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from local.simulators.appwrite_accounts import PROJECT
from local.simulators.clock import iso
from local.simulators.exchange import Reply, Request

if TYPE_CHECKING:
    from local.simulators.appwrite_accounts import Session, User

VERSION: Final = "1.9.6"
_COOKIE: Final = f"a_session_{PROJECT}"
_LOCAL: Final = ("localhost", "127.0.0.1")
_ALLOWED: Final = (
    "Origin, Cookie, Set-Cookie, X-Requested-With, Content-Type, Access-Control-Allow-Origin, "
    "Access-Control-Request-Headers, Accept, X-Appwrite-Project, X-Appwrite-Key, X-Appwrite-Dev-Key, "
    "X-Appwrite-Locale, X-Appwrite-Mode, X-Appwrite-JWT, X-Appwrite-Response-Format, X-Appwrite-Timeout, "
    "X-Appwrite-ID, X-Appwrite-Timestamp, X-Appwrite-Session, X-Appwrite-Platform, X-SDK-Version, X-SDK-Name, "
    "X-SDK-Language, X-SDK-Platform, X-SDK-GraphQL, X-SDK-Profile, Content-Range, Range, Cache-Control, Expires, "
    "Pragma, X-Fallback-Cookies"
)
GUEST: Final = 'User (role: guests) missing scopes (["account"])'


class Refused(Exception):  # noqa: N818 - AppWrite's "no" is an answer
    """AppWrite says no, in its envelope."""

    def __init__(self, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(kind)
        body = {"message": message, "code": status, "type": kind, "version": VERSION}
        self.reply = Reply.json(body, status, headers)


def check_project(given: str) -> None:
    if not given:  # the real server falls back to its own console project, where the caller is a guest
        raise Refused(401, "general_unauthorized_scope", GUEST)
    if given != PROJECT:
        raise no_project()


def check_user(user: User) -> None:
    if user.blocked:
        raise Refused(403, "user_blocked", "The current user has been blocked.")
    if user.password_reset:
        raise Refused(412, "user_password_reset_required", "The current user requires a password reset.")


def no_project() -> Refused:
    message = (
        "Project with the requested ID could not be found. Please check the value of the X-Appwrite-Project header."
    )
    return Refused(404, "project_not_found", message)


def limited(headers: dict[str, str]) -> Refused:
    message = "Rate limit for the current endpoint has been exceeded. Please try again after some time."
    return Refused(429, "general_rate_limit_exceeded", message, headers)


def wrong(name: str, why: str) -> Refused:
    return Refused(400, "general_argument_invalid", f"Invalid `{name}` param: {why}")


def json_object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "general_argument_invalid", "The request's body is not a JSON object.")
    return body


def text_of(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(400, "general_argument_invalid", f'Param "{name}" is not optional.')
    return value


def cookie_in(request: Request) -> str:
    """The session a caller shows: by cookie, by what the SDK keeps where cookies are blocked, or by header."""
    for part in request.header("cookie").split(";"):
        name, _, value = part.strip().partition("=")
        if name == _COOKIE:
            return value
    try:
        fallback = json.loads(request.header("x-fallback-cookies") or "{}")
    except ValueError:
        fallback = {}
    kept = fallback.get(_COOKIE, "") if isinstance(fallback, dict) else ""
    return str(kept or request.header("x-appwrite-session"))


def cookies(value: str) -> dict[str, str]:
    """Both ways a browser may keep it; SameSite=Lax is enough between ports of one machine."""
    age = "" if value else "; Max-Age=0"
    kept = json.dumps({_COOKIE: value} if value else [])
    return {"Set-Cookie": f"{_COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax{age}", "X-Fallback-Cookies": kept}


def session_shown(session: Session, now: float) -> dict[str, Any]:
    """As a browser sees it: without its secret."""
    return {
        "$id": session.session_id,
        "$createdAt": iso(now),
        "$updatedAt": iso(now),
        "userId": session.user_id,
        "expire": iso(session.expires),
        "provider": session.provider,
        "providerUid": "",
        "current": True,
        "factors": ["password"],
        "secret": "",
        "mfaUpdatedAt": "",
    }


def redirect(target: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
    """To a page of this machine; to anywhere else AppWrite would refuse, because no such platform is registered."""
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or parts.hostname not in _LOCAL:
        raise wrong("success", "URL host must be one of: localhost, 127.0.0.1")
    location = urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(query))))))
    return Reply.text("", 301).with_headers({**headers, "Location": location})


def crossing(request: Request) -> dict[str, str]:
    """CORS, as AppWrite answers registered platforms: here, every page of this machine."""
    origin = request.header("origin")
    if urlsplit(origin).hostname not in _LOCAL:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": _ALLOWED,
        "Access-Control-Expose-Headers": "X-Appwrite-Session, X-Fallback-Cookies",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }
