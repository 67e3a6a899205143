"""Signing in: somebody else's word for who a person is, against a console token for a quarter of an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.adapters.aws.keys import RememberedKeys, SecretKeys
from nofy.adapters.identity.appwrite import AppwriteIdentity
from nofy.adapters.identity.fetch import Fetcher
from nofy.adapters.identity.oidc import OidcIdentity
from nofy.adapters.jose.signing import sign
from nofy.runtime import clock, settings
from nofy.runtime.api.application import Application
from nofy.runtime.api.sign_in import SignIn, register
from nofy.runtime.initialization import load_ahead
from nofy.runtime.observability import observed

if TYPE_CHECKING:
    from nofy.ports.identity import IdentityProvider

configured = settings.load(settings.SessionSettings)
fetcher = Fetcher()
providers: dict[str, IdentityProvider] = {}
if configured.appwrite_endpoint and configured.appwrite_project:
    providers["jwt"] = AppwriteIdentity(configured.appwrite_endpoint, configured.appwrite_project, fetcher)
if configured.oidc_issuer and configured.oidc_audience:
    audiences = configured.oidc_audience.split(",")
    providers["id_token"] = OidcIdentity(configured.oidc_issuer, audiences, fetcher, clock.now)
keys = RememberedKeys(SecretKeys(configured.signing_secret_arn).read, clock.now)
app = Application(configured.cors_origins)
register(app, SignIn(providers, keys, sign, configured.console_issuer, clock.now, clock.new_id))
load_ahead("boto3", "jwt.algorithms", "urllib3", "nofy.runtime.api.sign_in_models")


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
