"""MiniStack, the AWS emulator: Lambda, API Gateway, Scheduler, KMS, SSM, CloudFormation in one process.

It unzips functions into its temporary folder and runs them as children, which stay behind when it is killed:
it gets a session and a temporary folder of its own, so that both can be ended and deleted whole.
"""

from __future__ import annotations

import signal
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from local import artefacts, processes
from local.environment import clean_environment
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from local.processes import Home, Record

READY_SECONDS = 30.0
PROGRAM = artefacts.MINISTACK / "bin" / "ministack"


def start(home: Home, port: int) -> Record:
    temporary = home.root / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    # All addresses by default: whoever shares the network could run code through it.
    env = environment(temporary, port, LOOPBACK)
    return processes.start(home, "ministack", [PROGRAM], env, stop_signal=signal.SIGKILL)


def environment(temporary: Path, port: int, address: str) -> dict[str, str]:
    return {
        **clean_environment(),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": address,
        # Its MQTT listener takes a fixed port of its own.
        "IOT_MTLS_ENABLED": "0",
        # Idle workers beyond a function's first are ended after five minutes by default: a stack that was left alone
        # over lunch would be cold.
        "LAMBDA_WARM_TTL_SECONDS": "86400",
        "TMPDIR": str(temporary),
        "S3_DATA_DIR": str(temporary / "s3"),
        "STATE_DIR": str(temporary / "state"),
    }


def finish(home: Home, endpoint_url: str, record: Record) -> None:
    processes.wait_until(lambda: answers(endpoint_url), home, record, READY_SECONDS)


def answers(endpoint_url: str) -> bool:
    return responds(f"{endpoint_url}/_localstack/health")


def responds(url: str) -> bool:
    """Somebody speaks HTTP there and does not say that it is broken."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
