"""The shape of signing in: what is asked, and what is answered (for the OpenAPI document)."""

from __future__ import annotations

from datetime import datetime  # Pydantic evaluates the annotations
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Three parts of base64url. An ID token with many groups stays well below the length.
Compact = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$", max_length=8_192)
]


class SessionRequest(BaseModel):
    """Exactly one of the two: a JWT of AppWrite, or an ID token of the OIDC issuer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    jwt: Compact | None = Field(None, description="From AppWrite: account.createJWT()")
    id_token: Compact | None = Field(None, description="From the OIDC issuer")


class SessionUser(BaseModel):
    """Who signed in."""

    model_config = ConfigDict(extra="forbid")

    id: str
    email: str
    name: str


class Session(BaseModel):
    """A console token; send it as ``Authorization: Bearer``."""

    model_config = ConfigDict(extra="forbid")

    token: str
    token_type: Literal["Bearer"]
    expires_at: datetime
    user: SessionUser
