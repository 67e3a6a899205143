"""Who has an account at the simulated AppWrite, and which of their sessions are alive."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from local.simulators.clock import Clock

PROJECT: Final = "nofy-local"
# Made up like the credentials of the providers: it opens nothing anywhere else, and outlives a restart.
JWT_SECRET: Final = b"nofy-local-_APP_OPENSSL_KEY_V1-which-opens-nothing"
SESSION_LIFETIME: Final = 365 * 24 * 3600


@dataclass(slots=True)
class User:
    """An account. `blocked` is AppWrite's `status` turned round."""

    user_id: str
    email: str
    password: str = field(repr=False)
    name: str = ""
    verified: bool = False
    blocked: bool = False
    password_reset: bool = False


@dataclass(slots=True)
class Session:
    """A sign-in of somebody, until it is deleted."""

    session_id: str
    user_id: str
    secret: str = field(repr=False)
    expires: float
    provider: str = "email"


class Accounts:
    """Users and sessions in memory. Safe to use from many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """The two people everybody knows, nobody signed in."""
        with self._lock:
            self._users: dict[str, User] = {}
            self._sessions: dict[str, Session] = {}
            for name in ("Ada", "Grace"):
                self.put(f"{name.lower()}@example.com", f"nofy-local-{name.lower()}", name, verified=True)

    def put(self, email: str, password: str, name: str = "", *, verified: bool = False, user_id: str = "") -> User:
        """A new user, or this one with another password. Ids of the ready-made ones are the same every time."""
        with self._lock:
            known = self.by_email(email)
            user_id = user_id or (known.user_id if known else hashlib.sha256(email.lower().encode()).hexdigest()[:20])
            user = User(user_id, email.lower(), password, name, verified)
            self._users[user_id] = user
            return user

    def by_email(self, email: str) -> User | None:
        with self._lock:
            return next((user for user in self._users.values() if user.email == email.lower()), None)

    def by_id(self, user_id: str) -> User | None:
        with self._lock:
            return self._users.get(user_id)

    def shown(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {
                    "user_id": user.user_id,
                    "email": user.email,
                    "name": user.name,
                    "verified": user.verified,
                    "blocked": user.blocked,
                    "password_reset": user.password_reset,
                    "sessions": sum(each.user_id == user.user_id for each in self._sessions.values()),
                }
                for user in self._users.values()
            ]

    def open(self, user: User, provider: str = "email") -> Session:
        session = Session(secrets.token_hex(10), user.user_id, secrets.token_hex(32), self._clock(), provider)
        session.expires += SESSION_LIFETIME
        with self._lock:
            self._sessions[session.session_id] = session
        return session

    def session(self, session_id: str) -> Session | None:
        """A session that is alive."""
        with self._lock:
            session = self._sessions.get(session_id)
        return session if session and session.expires > self._clock() else None

    def by_cookie(self, value: str) -> Session | None:
        """The session a browser's cookie stands for."""
        session_id, _, secret = value.partition(".")
        session = self.session(session_id)
        return session if session and hmac.compare_digest(session.secret, secret) else None

    def close(self, session_id: str) -> None:
        with self._lock:
            self._sessions.pop(session_id, None)

    def sign_out(self, user: User) -> None:
        """Every session of somebody ends."""
        with self._lock:
            self._sessions = {key: each for key, each in self._sessions.items() if each.user_id != user.user_id}

    def jwt(self, session: Session, duration: int) -> str:
        """HS256 by the server's own secret, as AppWrite does it: nobody else can check it."""
        claims = {"userId": session.user_id, "sessionId": session.session_id, "exp": int(self._clock()) + duration}
        signed = f"{_encoded({'typ': 'JWT', 'alg': 'HS256'})}.{_encoded(claims)}"
        return f"{signed}.{_signature(signed)}"

    def claims(self, token: str) -> dict[str, Any] | None:
        """What a JWT says; None when its signature, its form or its time is wrong."""
        signed, _, signature = token.rpartition(".")
        if signed.count(".") != 1 or not hmac.compare_digest(signature.encode(), _signature(signed).encode()):
            return None
        claims: dict[str, Any] = json.loads(_decoded(signed.partition(".")[2]))
        return claims if claims["exp"] > self._clock() else None


def cookie_of(session: Session) -> str:
    return f"{session.session_id}.{session.secret}"


def _signature(signed: str) -> str:
    return _text(hmac.digest(JWT_SECRET, signed.encode(), "sha256"))


def _encoded(value: dict[str, Any]) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
