"""The random kill loop: notifications go in while anything at all is killed, at moments that the seed picks."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from faults.fleet import ROLES, ProducerGoneError
from nofy.domain.routing import Channel
from nofy.runtime import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.bench import Bench
    from faults.client import Client, Promise

# How often each is the victim; a server takes seconds to come back, a worker a few hundredths.
VICTIMS = {**dict.fromkeys(ROLES, 10), "dispatcher": 16, "acks": 14, "redis": 6, "flush": 5, "postgres": 1, "kafka": 1}
LARGEST_REQUEST = 50
# Of a hundred notifications; the others are accepted at the first call.
SCRIPTS = {"503*1": 4, "429*1": 2, "reset*1": 2, "hang*1": 1, "lost*1": 1, "slow*1": 3, "refuse*9": 2}
LONGEST_WAIT = 0.6


class Loop:
    """One seed's choices. What the seed cannot choose is how far everybody had come when the kill struck."""

    def __init__(self, bench: Bench, seed: int, kills: int, wanted: int, tell: Callable[[str], None]) -> None:
        self._bench = bench
        self._random = random.Random(seed)  # noqa: S311
        self._kills = kills
        self._wanted = wanted
        self._tell = tell

    def run(self) -> list[Promise]:
        """Everything accepted; it has ended, or patience has."""
        promised: list[Promise] = []
        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            for kill in range(self._kills):
                share = self._wanted * (kill + 1) // self._kills - self._wanted * kill // self._kills
                accepting = pool.submit(self._accept, [self._item() for _ in range(share)])
                time.sleep(self._random.uniform(0, LONGEST_WAIT))
                victim = self._random.choices([*VICTIMS], [*VICTIMS.values()])[0]
                self._kill(victim)
                accepted = accepting.result()
                self._cancel_some(accepted)
                promised += accepted
                if kill % 10 == 9:
                    elapsed = time.monotonic() - began
                    live = self._bench.live(promised)
                    self._tell(f"{kill + 1:4} kills, {len(promised):6} accepted, {live:5} live, {elapsed:4.0f} s")
        if not self._kills:
            promised = self._accept([self._item() for _ in range(self._wanted)])
        self._bench.settle(promised)
        return promised

    def _accept(self, items: list[dict[str, Any]]) -> list[Promise]:
        made: list[Promise] = []
        for start in range(0, len(items), LARGEST_REQUEST):
            client = self._bench.clients[start // LARGEST_REQUEST % 2]
            made += client.accept(items[start : start + LARGEST_REQUEST])
        return made

    def _item(self) -> dict[str, Any]:
        dice = self._random.random()
        scripts = [*SCRIPTS, ""]
        script = self._random.choices(scripts, [*SCRIPTS.values(), 100 - sum(SCRIPTS.values())])[0]
        more: dict[str, Any] = {}
        if dice < 0.2:
            more["send_at"] = (clock.now() + timedelta(seconds=self._random.uniform(0.5, 5))).isoformat()
        elif dice < 0.22:
            more["expires_at"] = (clock.now() + timedelta(seconds=self._random.uniform(1, 3))).isoformat()
        channel = self._random.choice([*Channel])
        return self._bench.items(1, channel, script=script, **more)[0]

    def _kill(self, victim: str) -> None:
        bench = self._bench
        if victim in bench.machine.servers:
            bench.restart_server(victim)
        elif victim == "flush":
            bench.server_kills += 1
            with bench.machine.redis() as redis:
                redis.flushall()
        else:
            bench.fleet.restart(victim)

    def _cancel_some(self, accepted: list[Promise]) -> None:
        """Late enough to meet the dispatcher; an answer that does not come is no promise."""
        for each in self._random.sample(accepted, len(accepted) // 50):
            with suppress(ProducerGoneError):
                self._of(each).cancel(each)

    def _of(self, promise: Promise) -> Client:
        return next(each for each in self._bench.clients if each.project_id == promise.project_id)
