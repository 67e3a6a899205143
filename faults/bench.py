"""What cases and the loop stand on: clients, a fleet, waiting until everything has ended, and looking at it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from faults.client import Client, new_client, notification
from faults.verdict import Evidence, Move, Row, Verdict, judge
from nofy.adapters.postgres.database import statement
from nofy.domain.lifecycle import LIVE, Status
from nofy.domain.routing import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any
    from uuid import UUID

    from faults.client import Promise
    from faults.fleet import Fleet
    from faults.machine import Machine
    from faults.provider import Call

POLL_SECONDS = 0.2
CHANNELS = tuple(Channel)


@dataclass
class Bench:
    """One run's parts. ``patience``: seconds in which what was accepted must end."""

    machine: Machine
    fleet: Fleet
    patience: float
    clients: list[Client] = field(default_factory=list)
    number: int = 0
    server_kills: int = 0
    skew: float = 0.0

    def __post_init__(self) -> None:
        self.clients = [new_client(self.machine, self.fleet) for _ in range(2)]

    @property
    def client(self) -> Client:
        return self.clients[0]

    @property
    def promised(self) -> list[Promise]:
        return [promise for each in self.clients for promise in each.promised]

    def items(self, count: int, *channels: Channel, script: str = "", **more: Any) -> list[dict[str, Any]]:
        """Requests over all channels (or those given) and priorities."""
        made = []
        for _ in range(count):
            self.number += 1
            channel = (channels or CHANNELS)[self.number % len(channels or CHANNELS)]
            priority = ("high", "normal", "low")[self.number // 3 % 3]
            made.append(notification(channel, self.number, script=script, **{"priority": priority, **more}))
        return made

    def accept(self, count: int, *channels: Channel, script: str = "", **more: Any) -> list[Promise]:
        return self.client.accept(self.items(count, *channels, script=script, **more))

    def restart_server(self, name: str) -> None:
        self.server_kills += 1
        self.machine.servers[name].kill()
        self.machine.servers[name].start()

    # What became of them

    def settle(self, promises: Sequence[Promise]) -> bool:
        """Wait until each has ended; False when patience has."""
        return self.wait(lambda: self.live(promises) == 0, self.patience)

    def live(self, promises: Sequence[Promise]) -> int:
        text = "SELECT count(*) FROM deliveries WHERE id = ANY(%(ids)s) AND status = ANY(%(live)s)"
        return int(self.machine.query(text, ids=ids_of(promises), live=[each.value for each in LIVE])[0][0])

    def wait(self, ready: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def taken(self, promises: Sequence[Promise]) -> int:
        """How many of them the provider has."""
        return len({each.delivery_id for each in self.calls(promises) if each.accepted})

    def calls(self, promises: Sequence[Promise]) -> list[Call]:
        """The ledger's lines about them."""
        ids = {str(each.delivery_id) for each in promises}
        return [each for each in self.machine.calls() if each.delivery_id in ids]

    def asked(self, promises: Sequence[Promise]) -> int:
        return len(self.calls(promises))

    def rows(self) -> int:
        return int(self.machine.query("SELECT count(*) FROM deliveries")[0][0])

    def letters(self, promises: Sequence[Promise]) -> list[tuple[UUID, str]]:
        """Their dead letters: which, and why."""
        text = "SELECT id, reason FROM dead_letters WHERE kind = 'delivery' AND delivery_id = ANY(%(ids)s)"
        return [(row[0], str(row[1])) for row in self.machine.query(text, ids=ids_of(promises))]

    def expect_sent(self, promises: Sequence[Promise]) -> None:
        """Every one of them, before patience ends."""
        self.settle(promises)
        seen = self.statuses(promises)
        assert seen == {"sent": len(promises)}, seen

    def statuses(self, promises: Sequence[Promise]) -> dict[str, int]:
        text = "SELECT status, count(*) FROM deliveries WHERE id = ANY(%(ids)s) GROUP BY 1"
        return dict(self.machine.query(text, ids=ids_of(promises)))

    def reasons(self) -> list[tuple[str, int]]:
        """Why deliveries failed: the run's scripts refuse some, and nothing else should."""
        text = "SELECT left(reason, 60), count(*) FROM deliveries WHERE status = 'failed' GROUP BY 1 ORDER BY 2 DESC"
        return [(str(reason), int(count)) for reason, count in self.machine.query(text)]

    def verdict(self, promises: Sequence[Promise]) -> Verdict:
        """Held against the provider's ledger; the product's own metric of what was lost is heard as well."""
        ids = ids_of(promises)
        query = self.machine.query
        rows = query(
            "SELECT id, status, project_id, extract(epoch FROM changed_at) FROM deliveries WHERE id = ANY(%(ids)s)",
            ids=ids,
        )
        moves = query(
            "SELECT delivery_id, old_status, status, old_attempt_no, attempt_no FROM faults_changes"
            " WHERE delivery_id = ANY(%(ids)s) ORDER BY number",
            ids=ids,
        )
        attempts = query(
            "SELECT delivery_id, attempt_no, extract(epoch FROM due_at), report ->> 'reason' FROM attempts"
            " WHERE delivery_id = ANY(%(ids)s)",
            ids=ids,
        )
        without_row, without_progress = query(statement("lost"), seconds=15)[0]
        return judge(
            Evidence(
                promises,
                {row[0]: Row(Status(row[1]), row[2], float(row[3])) for row in rows},
                [Move(row[0], Status(row[1]), Status(row[2]), row[3], row[4]) for row in moves],
                self.machine.calls(),
                {(row[0], row[1]): float(row[2]) for row in attempts},
                frozenset((row[0], row[1]) for row in attempts if str(row[3]).startswith("no answer")),
                self.fleet.held,
                max(0, int(without_row)) + int(without_progress),
                self.skew,
            )
        )


def ids_of(promises: Sequence[Promise]) -> list[UUID]:
    return [each.delivery_id for each in promises]
