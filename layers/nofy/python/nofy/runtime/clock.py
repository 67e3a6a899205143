"""The one place where real time and real randomness come from."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime

from nofy.domain.ids import IdSource


def now() -> datetime:
    """The present moment, aware and in UTC."""
    return datetime.now(UTC)


def uniform() -> float:
    """A number in [0, 1). For jitter, not for secrets."""
    return random.random()  # noqa: S311


new_id = IdSource(now, os.urandom)
