"""The key maker: makes, replaces and publishes the keys that sign console tokens. Every day, and at every deploy."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from nofy.adapters.aws.keys import BucketKeys, SecretKeys
from nofy.adapters.jose.signing import generate, public_half
from nofy.administration.signing_keys import Rotation
from nofy.runtime import clock, settings
from nofy.runtime.observability import logger, observed

configured = settings.load(settings.KeysSettings)
rotation = Rotation(
    private=SecretKeys(configured.signing_secret_arn),
    public=BucketKeys(configured.signing_keys_bucket),
    generate=generate,
    public_half=public_half,
    clock=clock.now,
)


@observed
def handler(_: dict[str, Any], __: Any) -> dict[str, Any]:
    rotated = asdict(rotation.rotate())
    logger.info("keys published", extra=rotated)
    return rotated
