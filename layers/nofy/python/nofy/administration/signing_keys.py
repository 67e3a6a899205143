"""Rotating the key that signs console tokens, without a token ever being refused for it.

Two runs at once end as one. A new key's public half is published before its private half is stored, beside all that
is published already; storing succeeds for one run only; whoever lost looks again; and the last thing every run does is
to publish exactly what is stored. A run that dies half-way leaves at most a public key that nobody signs with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import IdentityUnavailableError
from nofy.domain.signing_keys import SigningKey, due, first_use, kept, signer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from nofy.ports.clock import Clock
    from nofy.ports.identity import KeyRing, PrivateKeys, PublicKeys

# A run that loses that often in a row is not in a race: something refuses it.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a run left behind; ``made`` is the key it added, if one was due."""

    signing: str | None
    published: tuple[str, ...]
    made: str | None


@dataclass(frozen=True, slots=True)
class Rotation:
    """``generate`` makes a key of when it was made and when it may sign; ``public_half`` of it is published."""

    private: PrivateKeys
    public: PublicKeys
    generate: Callable[[datetime, datetime], SigningKey]
    public_half: Callable[[SigningKey], dict[str, Any]]
    clock: Clock

    def rotate(self) -> Rotated:
        """Make a key if one is due, drop those nobody can meet again, publish.

        IdentityUnavailableError: something could not be asked; running it again is all it takes.
        """
        for _ in range(_ATTEMPTS):
            read, now = self.private.read(), self.clock()
            if (keys := self._settled(read, now)) is not None:
                self._publish(keys)
                made = {each.kid for each in keys} - {each.kid for each in read.keys}
                sign = signer(keys, now)
                return Rotated(sign.kid if sign else None, tuple(each.kid for each in keys), next(iter(made), None))
        raise IdentityUnavailableError("other runs kept storing keys")

    def _settled(self, read: KeyRing, now: datetime) -> tuple[SigningKey, ...] | None:
        """The keys as they are stored from now on; None when another run stored some in the meantime."""
        keys = kept(read.keys, now)
        if due(keys, now):
            keys = (*keys, self.generate(now, first_use(keys, now)))
            self._announce(keys[-1])
        if keys != read.keys and not self.private.replace(read, keys):
            return None
        return keys

    def _announce(self, key: SigningKey) -> None:
        """Add one to what is published, whoever published the rest."""
        self.public.write([*self._published(), self.public_half(key)])

    def _publish(self, keys: tuple[SigningKey, ...]) -> None:
        wanted = [self.public_half(each) for each in keys]
        if self._published() != wanted:
            self.public.write(wanted)

    def _published(self) -> list[dict[str, Any]]:
        """What is published; nothing when it cannot be read, which is how a bucket says that it is empty."""
        try:
            return self.public.read()
        except IdentityUnavailableError:
            return []
