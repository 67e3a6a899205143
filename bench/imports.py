"""What each handler's import costs beside ``import boto3``: ``python -m bench.imports``.

Each line is the median of fresh processes, taken in turns (boto3, handler, boto3, handler ...) so that what else the
machine does hits both alike. Compare the ratios, not the times.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 7
# Any values that can be read: nothing is connected to on import.
ENVIRONMENT = {
    "POSTGRES_DSN": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "KAFKA_REPORTS_LAG": "true",
    "SENDER_FUNCTIONS": "{}",
    "VAULT_FUNCTION": "vault",
    "CREDENTIALS_KEY_ID": "key",
    "SIGNING_SECRET_ARN": "arn",
    "SIGNING_KEYS_BUCKET": "bucket",
    "CONSOLE_ISSUER": "bench",
    "SLACK_API_URL": "http://127.0.0.1:1",
    "BREVO_API_URL": "http://127.0.0.1:1",
    "WHATSAPP_API_URL": "http://127.0.0.1:1",
    "POWERTOOLS_SERVICE_NAME": "bench",
}
_TIMED = "import time; began = time.perf_counter(); {}; print((time.perf_counter() - began) * 1000)"


def milliseconds(statement: str, folder: Path) -> float:
    """One import in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(statement)],
        cwd=folder,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main() -> None:
    print(f"{'function':<18} {'import ms':>10} {'boto3 ms':>10} {'ratio':>7}")
    for handler in sorted((ROOT / "functions").rglob("handler.py")):
        name = handler.parent.relative_to(ROOT / "functions").as_posix()
        pairs = [
            (milliseconds("import boto3", ROOT), milliseconds("import handler", handler.parent)) for _ in range(RUNS)
        ]
        boto3, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{name:<18} {ours:>10.0f} {boto3:>10.0f} {ours / boto3:>7.2f}", flush=True)


if __name__ == "__main__":
    main()
