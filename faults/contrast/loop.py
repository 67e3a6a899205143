"""Nofy's kill loop for Celery: the same scripts and shares, the same seed's kind of choices, another set of victims."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from faults.contrast.settings import CHANNELS, VISIBILITY_SECONDS
from faults.contrast.troupe import PublisherGoneError, Troupe
from faults.contrast.verdict import Figures, ended, judge
from faults.loop import LONGEST_WAIT, SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from faults.machine import Machine, Server

# How often each is the victim. The workers' shares add up to those of Nofy's dispatcher, consumers and acks (60 of
# 110); half of a worker's deaths take all of it, half one process of its pool.
WORKERS = {f"worker-{each}": 10 for each in CHANNELS} | {f"child-{each}": 10 for each in CHANNELS}
EVERYTHING = {**WORKERS, "publisher": 10, "redis": 6, "flush": 5, "postgres": 1}
KEEPING = {each: share for each, share in EVERYTHING.items() if each != "flush"}
ONLY_WORKERS = {**WORKERS, "publisher": 10}

PATIENCE_SECONDS = 240.0
# What is neither in the broker nor heard of at the provider for so long is nowhere.
QUIET_SECONDS = 2.0 * VISIBILITY_SECONDS + 15
ASK_SECONDS = 60.0


@dataclass
class Loop:
    """One run. ``broker`` is Celery's Redis, which the harness may empty."""

    machine: Machine
    troupe: Troupe
    broker: Server
    client: redis.Redis
    victims: dict[str, int]
    seed: int
    tell: Callable[[str], None]
    accepted: list[str] = field(default_factory=list)
    killed: dict[str, int] = field(default_factory=dict)
    left: int = 0  # still in the broker's hands when patience was over: of the lost ones, those that may come yet
    revived: bool = False  # at the end, workers ran and took nothing until they were started anew

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311

    def run(self, kills: int, wanted: int) -> Figures:
        with ThreadPoolExecutor(1) as pool:
            for kill in range(kills):
                share = wanted * (kill + 1) // kills - wanted * kill // kills
                accepting = pool.submit(self._accept, [self._item() for _ in range(share)])
                time.sleep(self._random.uniform(0, LONGEST_WAIT))
                self._kill(self._random.choices([*self.victims], [*self.victims.values()])[0])
                accepting.result()
                self.troupe.supervise()
                if kill % 20 == 19:
                    self.tell(f"{kill + 1:4} kills, {len(self.accepted):6} accepted, {len(self._results()):6} recorded")
        self._settle()
        self.left = self._held_by_the_broker()
        return self.figures()

    def figures(self) -> Figures:
        return judge(self.accepted, self._results(), self.machine.calls())

    def _item(self) -> dict[str, Any]:
        scripts = [*SCRIPTS, ""]
        script = self._random.choices(scripts, [*SCRIPTS.values(), 100 - sum(SCRIPTS.values())])[0]
        later = self._random.random() < 0.2
        return {
            "id": str(uuid4()),
            "channel": self._random.choice(CHANNELS),
            "text": f"script={script}" if script else "plain",
            "countdown": self._random.uniform(0.5, 5) if later else None,
        }

    def _accept(self, items: list[dict[str, Any]]) -> None:
        """Each until it is accepted, always under the same id: as a careful client does."""
        for each in items:
            deadline = time.monotonic() + ASK_SECONDS
            while not self._asked(each):
                assert time.monotonic() < deadline, "the publisher does not come back"
                time.sleep(0.05)
            self.accepted.append(each["id"])

    def _asked(self, item: dict[str, Any]) -> bool:
        try:
            return self.troupe.ask(item)
        except PublisherGoneError:
            return False

    def _kill(self, victim: str) -> None:
        kind, _, channel = victim.partition("-")
        match kind:
            case "worker":
                self.troupe.kill_worker(channel)
            case "child":
                self.troupe.kill_child(channel, self._random)
            case "publisher":
                self.troupe.kill_publisher()
            case "flush":
                self.client.flushall()
            case "redis":
                self.broker.kill()
                self.broker.start()
            case "postgres":
                self.machine.servers["postgres"].kill()
                self.machine.servers["postgres"].start()
        self.killed[kind] = self.killed.get(kind, 0) + 1

    def _settle(self) -> None:
        """Until everything has its result, or the provider was not called for long and starting anew did not help."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        calls, since, revived = -1, time.monotonic(), False
        while time.monotonic() < deadline and not ended(self.accepted, self._results()):
            time.sleep(0.5)
            self.troupe.supervise()
            seen = len(self.machine.calls())
            if seen != calls:
                calls, since = seen, time.monotonic()
            elif time.monotonic() - since > QUIET_SECONDS:
                if revived or not self._held_by_the_broker():
                    return
                self.tell(f"{self._held_by_the_broker()} wait and nobody takes them: all workers start anew")
                self.troupe.start_anew()
                self.revived, revived, since = True, True, time.monotonic()

    def _held_by_the_broker(self) -> int:
        queued = sum(self.client.llen(each) for each in CHANNELS)
        return int(queued + self.client.hlen("unacked"))

    def _results(self) -> dict[str, str]:
        return {str(row[0]): row[1] for row in self.machine.query("SELECT id, status FROM celery_results")}
