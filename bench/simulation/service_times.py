"""What each part of the pipeline takes, in seconds, as measured; read from ``service_times.json``.

Python's seconds are those of one whole core, and a Lambda function has ``memory / 1,769 MB`` of one: the simulation
divides by that. PostgreSQL's are of one of the server's cores.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("service_times.json")
# Beside the times, and absent until somebody has measured: figures of the whole pipeline on one machine.
MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds for a batch: ``fixed`` once, and ``per_item`` for each item in it."""

    fixed: float
    per_item: float

    def of(self, items: int) -> float:
        return self.fixed + self.per_item * items

    def __post_init__(self) -> None:
        for name in ("fixed", "per_item"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is not a time in seconds")


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """One :class:`Cost` for each piece of work; what is waited for has no item, or no fixed part.

    Python: ``accept`` a request and its notifications (without PostgreSQL); ``dispatch`` a turn and its deliveries;
    ``lease`` a consumer's batch (records read, rows turned into messages, limits asked, connecting again); ``send`` an
    invoke and its calls; ``ack`` a batch of acks; ``kafka`` a flush and the records in it.
    Redis: ``claim`` a lane's claim and release; ``redis`` a trip of anybody else (index, reserve, learn).
    PostgreSQL's CPU: ``postgres_accept``, ``postgres_dispatch`` (the SELECT and the UPDATE of a turn),
    ``postgres_lease``, ``postgres_ack``; ``postgres_commit`` is the wait for the disk and for the standby, which costs
    no CPU and holds locks. ``trip`` is the network's way there and back; ``poll`` what passes on average until an event
    source that had nothing finds a record.
    """

    accept: Cost
    dispatch: Cost
    lease: Cost
    send: Cost
    ack: Cost
    kafka: Cost
    claim: Cost
    redis: Cost
    postgres_accept: Cost
    postgres_dispatch: Cost
    postgres_lease: Cost
    postgres_ack: Cost
    postgres_commit: Cost
    trip: Cost
    poll: Cost


def load(path: Path = FILE) -> ServiceTimes:
    """ValueError, KeyError or TypeError with the piece of work that is missing, unknown or no time."""
    document = _read(path)
    document.pop(MEASURED, None)
    names = {each.name for each in dataclasses.fields(ServiceTimes)}
    if wrong := names ^ document.keys():
        raise ValueError(f"{path.name}: {', '.join(sorted(wrong))} missing, or not known")
    return ServiceTimes(**{name: _cost(name, document[name]) for name in names})


def measured(path: Path = FILE) -> dict[str, float]:
    """What was measured of the whole on the machine that the times are from, by the names in ``comparison.py``."""
    return {name: float(value) for name, value in _read(path).get(MEASURED, {}).items()}


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _cost(name: str, given: dict[str, Any]) -> Cost:
    if not given.get("source"):
        raise ValueError(f"{name}: a time without a source is a guess")
    return Cost(float(given["fixed"]), float(given["per_item"]))
