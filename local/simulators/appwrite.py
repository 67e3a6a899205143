"""AppWrite's accounts as its web SDK and Nofy use them: sign up, sign in, a JWT, whose it is, sign out.

Below ``/appwrite/v1``; the project is ``nofy-local``. Ready-made: ada@example.com with ``nofy-local-ada`` and
grace@example.com with ``nofy-local-grace``, both verified. Who signs up is not verified, until
``POST /_control/appwrite/users`` says so (:mod:`local.simulators.appwrite_control`).

=====================================================  ======================================================
``POST   /account``                                    sign up
``POST   /account/sessions/email``, ``/sessions``      sign in (10 an hour for an address, if limits are on)
``GET    /account/sessions/oauth2/{provider}``         the same by a made-up identity provider (``?user=``)
``POST   /account/jwts``, ``/account/jwt``             a JWT for our API, of 0 to 3,600 s (120 a minute)
``GET    /account``                                    whose session or JWT it is; faults for ``*`` or an
                                                       address on channel ``appwrite`` apply here
``DELETE /account/sessions/current``                   sign out
=====================================================  ======================================================
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from local.simulators.appwrite_accounts import Accounts, Session, User, cookie_of
from local.simulators.appwrite_rules import (
    GUEST,
    Refused,
    check_project,
    check_user,
    cookie_in,
    cookies,
    crossing,
    json_object,
    limited,
    no_project,
    redirect,
    session_shown,
    text_of,
    wrong,
)
from local.simulators.clock import iso
from local.simulators.exchange import HTML_503, Ending, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.simulators.faults import Step
    from local.simulators.world import World

BASE: Final = "/appwrite/v1"
SIGN_INS: Final = 10
SIGN_IN_WINDOW: Final = 3600
JWTS: Final = 120
JWT_WINDOW: Final = 60
JWT_SECONDS: Final = 900
_ENDINGS: Final = {"hang": Ending.SILENCE, "reset": Ending.RESET, "hangup": Ending.CLOSE}
_OAUTH: Final = re.compile(rf"{BASE}/account/sessions/oauth2/([a-z0-9-]+)")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Appwrite:
    """``/appwrite/v1/*``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.accounts = Accounts(world.clock)
        self._windows: dict[str, tuple[float, int]] = {}
        self._calls: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("POST", "/account"): self._sign_up,
            ("GET", "/account"): self._account,
            ("POST", "/account/sessions/email"): self._sign_in,
            ("POST", "/account/sessions"): self._sign_in,
            ("POST", "/account/jwts"): self._jwt,
            ("POST", "/account/jwt"): self._jwt,
            ("DELETE", "/account/sessions/current"): self._sign_out,
        }

    def answer(self, request: Request) -> Reply:
        """The reply, with what a browser of another origin needs to read it."""
        if request.method == "OPTIONS":
            return Reply.text("", 204).with_headers(crossing(request))
        try:
            reply = self._called(request)
        except Refused as refused:
            reply = refused.reply
        return reply.with_headers(crossing(request))

    def reset(self) -> None:
        self.accounts.reset()
        with self._world.admission:
            self._windows.clear()

    def _called(self, request: Request) -> Reply:
        if match := _OAUTH.fullmatch(request.path):
            return self._oauth(request, match[1])
        call = self._calls.get((request.method, request.path.removeprefix(BASE)))
        if call is None:
            raise Refused(404, "general_route_not_found", "Route not found.")
        check_project(request.header("x-appwrite-project") or request.query.get("project", ""))
        return call(request)

    def _sign_up(self, request: Request) -> Reply:
        body = json_object(request)
        email, password = text_of(body, "email"), text_of(body, "password")
        user_id = body.get("userId", "")
        if not _EMAIL.fullmatch(email):
            raise wrong("email", "Value must be a valid email address")
        if not 8 <= len(password) <= 256:
            raise wrong("password", "Password must be between 8 and 256 characters long.")
        if not isinstance(user_id, str) or not re.fullmatch(r"unique\(\)|[A-Za-z0-9][A-Za-z0-9._-]{0,35}", user_id):
            raise wrong("userId", "UID must contain at most 36 chars.")
        chosen = "" if user_id == "unique()" else user_id
        if self.accounts.by_email(email) or (chosen and self.accounts.by_id(chosen)):
            message = "A user with the same id, email, or phone already exists in this project."
            raise Refused(409, "user_already_exists", message)
        user = self.accounts.put(email, password, str(body.get("name", ""))[:128], user_id=chosen)
        return Reply.json(self._shown(user), 201)

    def _sign_in(self, request: Request) -> Reply:
        body = json_object(request)
        email, password = text_of(body, "email"), text_of(body, "password")
        headers = self._counted(f"sign-in/{email.lower()}", SIGN_INS, SIGN_IN_WINDOW)
        user = self.accounts.by_email(email)
        if user is None or user.password != password:
            message = "Invalid credentials. Please check the email and password."
            raise Refused(401, "user_invalid_credentials", message, headers)
        check_user(user)
        with self._world.admission:
            self._windows.pop(f"sign-in/{email.lower()}", None)
        session = self.accounts.open(user)
        return Reply.json(session_shown(session, self._world.clock()), 201, {**headers, **cookies(cookie_of(session))})

    def _oauth(self, request: Request, provider: str) -> Reply:
        """The whole dance in one step: the made-up identity provider says at once that it is `user`."""
        check_project(request.query.get("project", ""))
        if provider != "nofy":
            raise Refused(412, "project_provider_disabled", "This provider is disabled.")
        user = self.accounts.by_email(request.query.get("user", "ada@example.com"))
        if user is None or user.blocked:
            return redirect(request.query.get("failure", ""), {"error": "user_blocked"}, {})
        cookie = cookie_of(self.accounts.open(user, provider))
        return redirect(request.query.get("success", ""), {}, cookies(cookie))

    def _jwt(self, request: Request) -> Reply:
        if request.header("x-appwrite-jwt"):
            raise Refused(403, "user_jwt_creation_denied", "JWT creation is not allowed with a JWT.")
        session, user = self._signed_in(request)
        check_user(user)
        duration = (json_object(request) if request.body else {}).get("duration", JWT_SECONDS)
        if isinstance(duration, bool) or not isinstance(duration, int) or not 0 <= duration <= 3600:
            raise wrong("duration", "Value must be a valid range between 0 and 3,600")
        headers = self._counted(f"jwt/{user.user_id}", JWTS, JWT_WINDOW)
        return Reply.json({"jwt": self.accounts.jwt(session, duration)}, 201, headers)

    def _account(self, request: Request) -> Reply:
        _, user = self._signed_in(request)
        step = self._world.faults.next("appwrite", user.email, "")
        if (fault := self._fault(step)) is not None:
            return fault
        check_user(user)
        return Reply.json(self._shown(user))

    def _sign_out(self, request: Request) -> Reply:
        session, _ = self._signed_in(request)
        self.accounts.close(session.session_id)
        return Reply.text("", 204).with_headers(cookies(""))

    def _signed_in(self, request: Request) -> tuple[Session, User]:
        """By JWT or by session, never by both."""
        token, cookie = request.header("x-appwrite-jwt"), cookie_in(request)
        if token and cookie:
            raise Refused(403, "user_jwt_and_cookie_set", "JWT and cookie are set. Please remove one of them.")
        session = self._of_jwt(token) if token else self.accounts.by_cookie(cookie)
        user = self.accounts.by_id(session.user_id) if session else None
        if session is None or user is None:
            raise Refused(401, "general_unauthorized_scope", GUEST)
        return session, user

    def _of_jwt(self, token: str) -> Session | None:
        claims = self.accounts.claims(token)
        if claims is None:
            message = "Failed to verify JWT. Invalid token: Incomplete segments or expired"
            raise Refused(401, "user_jwt_invalid", message)
        return self.accounts.session(claims["sessionId"])

    def _fault(self, step: Step) -> Reply | None:
        """A word of the fault language, as AppWrite says it; None where all is well."""
        match step.word:
            case "hang" | "reset" | "hangup":
                return Reply(ending=_ENDINGS[step.word])
            case "html503":
                return HTML_503
            case "status" | "internal":
                return Refused(step.status or 500, "general_unknown", "Server Error").reply
            case "throttle":
                raise limited(self._limit_headers(60, 0, self._world.clock() + (step.seconds or 60)))
            case "reject":
                raise Refused(403, "user_blocked", "The current user has been blocked.")
            case "config":
                raise no_project()
            case "error":
                return Refused(401, step.code, step.code).reply
            case "slow":
                self._world.pause(step.seconds)
        return None

    def _counted(self, name: str, limit: int, window: int) -> dict[str, str]:
        """One more call in the window; :class:`Refused` when there are too many. The headers that tell."""
        now = self._world.clock()
        with self._world.admission:
            start, calls = self._windows.get(name, (now, 0))
            start, calls = (now, 0) if now - start >= window else (start, calls)
            self._windows[name] = (start, calls + 1)
        headers = self._limit_headers(limit, max(0, limit - calls - 1), start + window)
        if self._world.limits.enforced and calls >= limit:
            raise limited(headers)
        return headers

    @staticmethod
    def _limit_headers(limit: int, left: int, reset: float) -> dict[str, str]:
        names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
        return dict(zip(names, (str(limit), str(left), str(int(reset))), strict=True))

    def _shown(self, user: User) -> dict[str, Any]:
        now = iso(self._world.clock())
        return {
            "$id": user.user_id,
            "$createdAt": "2026-01-01T00:00:00.000+00:00",
            "$updatedAt": now,
            "name": user.name,
            "registration": "2026-01-01T00:00:00.000+00:00",
            "status": not user.blocked,
            "labels": [],
            "passwordUpdate": "",
            "email": user.email,
            "phone": "",
            "emailVerification": user.verified,
            "phoneVerification": False,
            "mfa": False,
            "prefs": {},
            "targets": [],
            "accessedAt": now,
        }
