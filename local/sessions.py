"""Sessions of the AWS emulator: ``localstack-client`` gives them their endpoints."""

from __future__ import annotations

from typing import Any

from localstack_client.session import Session  # type: ignore[import-untyped]  # it ships no types

from local.environment import BLANKED


def emulated() -> Any:
    """Clients of it go where ``AWS_ENDPOINT_URL`` points, which :func:`local.environment.isolate` has set."""
    return Session(
        aws_access_key_id=BLANKED["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=BLANKED["AWS_SECRET_ACCESS_KEY"],
        region_name=BLANKED["AWS_REGION"],
    )
