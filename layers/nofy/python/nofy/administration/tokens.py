"""API tokens: made, shown once, revoked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nofy.administration.bounds import refuse_beyond
from nofy.domain import tokens
from nofy.domain.accounts import ApiToken
from nofy.domain.errors import FieldError, ForbiddenError, InvalidRequestError, NotFoundError
from nofy.domain.ids import Prefix, encode
from nofy.domain.permissions import of_scopes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from nofy.administration.occasion import Announce, Occasion
    from nofy.domain.notification import Principal
    from nofy.domain.permissions import Scope
    from nofy.domain.tokens import Mode
    from nofy.ports.accounts import Belongings


@dataclass(frozen=True, slots=True)
class Wanted:
    """The token that somebody asks for."""

    name: str
    mode: Mode
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """A project's API tokens. ``choose`` picks a character of a new one."""

    belongings: Belongings
    announce: Announce
    choose: Callable[[str], str]

    def of(self, project_id: UUID) -> list[ApiToken]:
        return self.belongings.tokens(project_id)

    def create(self, principal: Principal, wanted: Wanted, occasion: Occasion) -> tuple[ApiToken, str]:
        """The token and its secret, which is known now and never again."""
        _may_give(principal, wanted.scopes)
        if wanted.expires_at and wanted.expires_at <= occasion.now:
            raise InvalidRequestError([FieldError("/expires_at", "already_past", "must be in the future")])
        refuse_beyond("tokens", sum(each.revoked_at is None for each in self.of(principal.project_id)))
        secret = tokens.generate(wanted.mode, self.choose)
        token = ApiToken(
            occasion.new_id(),
            wanted.name,
            wanted.mode,
            wanted.scopes,
            tokens.hint(secret),
            occasion.now,
            wanted.expires_at,
        )
        scopes = [each.value for each in wanted.scopes]
        entry = occasion.entry("token.created", _named(token.token_id), name=token.name, mode=token.mode, scopes=scopes)
        self.belongings.create_token(principal.project_id, token, tokens.digest(secret), entry)
        self.announce(principal.project_id)
        return token, secret

    def revoke(self, project_id: UUID, token_id: UUID, occasion: Occasion) -> None:
        """It opens nothing any more, within the time that caches live."""
        entry = occasion.entry("token.revoked", _named(token_id))
        if not self.belongings.revoke_token(project_id, token_id, entry):
            raise NotFoundError(str(token_id))
        self.announce(project_id)


def _named(token_id: UUID) -> str:
    return encode(Prefix.KEY, token_id)


def _may_give(principal: Principal, scopes: tuple[Scope, ...]) -> None:
    """Nobody makes a token that may do more than they may themselves."""
    for missing in sorted(of_scopes(scopes) - principal.permissions):
        raise ForbiddenError(missing)
