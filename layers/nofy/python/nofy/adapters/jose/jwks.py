"""Public keys somebody publishes, remembered for a while."""

from __future__ import annotations

import logging
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import IdentityUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jwt import PyJWK

    from nofy.ports.clock import Clock

log = logging.getLogger(__name__)

# The signatures Nofy believes: a key of any other kind is not even looked at, least of all one that is a secret.
_ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256"}
# While nobody can be asked, keys are believed that long, so that an outage elsewhere does not sign everybody out.
TRUSTED = timedelta(hours=1)


class KeySet:
    """Keys by ``kid``. Read again when ``cached`` is over or a kid is unknown, but at most every ``refetch_every``."""

    def __init__(
        self, read: Callable[[], list[dict[str, Any]]], clock: Clock, cached: timedelta, refetch_every: timedelta
    ) -> None:
        self._read = read
        self._clock = clock
        self._cached = cached
        self._refetch_every = refetch_every
        self._keys: dict[str, PyJWK] = {}
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._lock = Lock()

    def find(self, kid: str) -> PyJWK | None:
        """The key of that name; None when nobody publishes one. IdentityUnavailableError when that cannot be told."""
        with self._lock:
            stale = kid not in self._keys or self._passed(self._read_at, self._cached)
            if stale and self._passed(self._tried_at, self._refetch_every):
                self._refresh()
            found = None if self._passed(self._read_at, TRUSTED) else self._keys.get(kid)
            if found is None and self._read_at != self._tried_at:
                raise IdentityUnavailableError("the public keys cannot be read")
            return found

    def _passed(self, since: datetime | None, age: timedelta) -> bool:
        return since is None or self._clock() - since >= age

    def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            published = self._read()
        except IdentityUnavailableError as error:
            log.warning("public keys could not be read", extra={"reason": str(error)})
            return
        self._keys = dict(filter(None, map(_usable, published)))
        self._read_at = self._tried_at


def _usable(key: Any) -> tuple[str, PyJWK] | None:
    """A key that signs, of a kind we know, and its name; an issuer may publish others beside it."""
    from jwt import PyJWK
    from jwt.exceptions import InvalidKeyError, PyJWKError

    if not isinstance(key, dict) or not isinstance(key.get("kid"), str) or key.get("use", "sig") != "sig":
        return None
    algorithm = _ALGORITHMS.get((str(key.get("kty")), key.get("crv")))
    if algorithm is None or key.get("alg", algorithm) != algorithm:
        return None
    try:
        return key["kid"], PyJWK(key, algorithm)
    except (InvalidKeyError, PyJWKError, ValueError, TypeError) as error:
        log.warning("a published key cannot be read", extra={"kid": key["kid"], "reason": type(error).__name__})
        return None
