"""The producing application: reads requests from its standard input and answers each when Celery has taken it.

Runs in Celery's own environment. One JSON line in, one out: an id that came back was accepted.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from kombu.exceptions import OperationalError  # type: ignore[import-not-found]

from faults.contrast.tasks import deliver


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps({"id": asked["id"], **_publish(asked)}), flush=True)


def _publish(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        deliver.apply_async(
            (asked["id"], asked["channel"], asked["text"]),
            task_id=asked["id"],
            queue=asked["channel"],
            countdown=asked["countdown"],
            retry=True,
            retry_policy={"max_retries": 3, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 0.5},
        )
    except OperationalError as error:
        return {"accepted": False, "problem": str(error)}
    return {"accepted": True}


if __name__ == "__main__":
    main()
