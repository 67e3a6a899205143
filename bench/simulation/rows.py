"""What one delivery costs PostgreSQL: ``python -m bench.simulation.rows [deliveries] [scheduled]``.

The pipeline's own statements on a real server, one delivery a notification, in the batches of production. Counted
for each step: the backend's CPU and the client's (which other work on the machine slows, but does not add to), and WAL.
Then what the rows occupy, how many updates were HOT, and what the reconciler's statements take that read many rows.

Last, ``scheduled`` more deliveries are born evenly over 52 weeks, each due within a year of its birth: the windows of
``waiting_between`` and the start of it are timed over the fifty-odd partitions that they then lie in.
"""

from __future__ import annotations

import os
import secrets
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from bench.walls import TOKEN, as_role, project
from local import servers
from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.database import Database, statement
from nofy.adapters.postgres.migrate import migrate
from nofy.adapters.postgres.pipeline import PostgresDispatches, PostgresLeases, PostgresOutcomes
from nofy.adapters.postgres.upkeep import PostgresUpkeep
from nofy.domain.delivery import Fence, Report, fold
from nofy.domain.notification import Draft, plan
from nofy.domain.outcomes import Accepted
from nofy.domain.records import QueueRecord
from nofy.domain.retry import Done
from nofy.domain.routing import Channel
from nofy.domain.timing import ATTEMPT_LEASE, INDEX_WINDOW
from nofy.ports.store import Queued
from nofy.runtime import clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nofy.domain.notification import PlannedNotification, Principal

DELIVERIES, SCHEDULED = 30_000, 300_000
ACCEPTED_AT_ONCE, SINGLES, BATCH, WEEKS = 100, 1_000, 500, 52
TEXT = "Build 42 is live. " * 55  # 1 KB, stored with the notification and, rendered, with the delivery
LAST_ID = UUID(int=2**128 - 1)
TICKS = os.sysconf("SC_CLK_TCK")

# Born evenly over the last year, and due as evenly in the one after (an hour at least ahead, so that nothing is late).
FILL = """
INSERT INTO deliveries (
    id, notification_id, project_id, integration_id, channel, provider, priority, live, destination, content,
    delivery_mode, expires_at, status, due_at, created_at, changed_at
)
SELECT born.id, born.id, %(project)s, i.id, i.channel, i.provider, 'normal', true, 'ada@example.com',
    jsonb_build_object('text', %(text)s::text), 'at_least_once', now() + interval '2 years', 'scheduled',
    now() + interval '1 hour' + interval '364 days' * random(), at, at
FROM (
    SELECT at, (left(nofy_uuid_floor(at)::text, 14) || '7' || substr(md5(n::text), 1, 3)
        || '-8' || substr(md5(n::text), 4, 3) || '-' || substr(md5(n::text), 7, 12))::uuid AS id
    FROM (SELECT n, now() - interval '1 week' * %(weeks)s * (1 - n::float8 / %(count)s) AS at
        FROM generate_series(1, %(count)s) AS n) AS numbered
) AS born
JOIN integrations i ON i.channel = 'email' AND i.project_id = %(project)s
"""
SIZES = """
SELECT parent, sum(pg_table_size(child))::bigint, sum(pg_indexes_size(child))::bigint
FROM (SELECT inhparent::regclass::text AS parent, inhrelid AS child FROM pg_inherits) AS of
WHERE parent IN ('notifications', 'deliveries', 'attempts') GROUP BY 1 ORDER BY 1
"""
UPDATES = """
SELECT left(relname, -9), sum(n_tup_upd)::bigint, sum(n_tup_hot_upd)::bigint
FROM pg_stat_user_tables WHERE relname ~ '^(deliveries|attempts)_' GROUP BY 1 ORDER BY 1
"""


@dataclass(slots=True)
class Step:
    """Sums over a step's items: seconds of CPU, bytes of WAL, statements and the seconds that they took."""

    server: float = 0.0
    client: float = 0.0
    wal: int = 0
    times: list[float] = field(default_factory=list)

    def line(self, name: str, items: int) -> str:
        per_item = (self.server / items * 1e6, self.client / items * 1e6, self.wal / items)
        return f"{name:<22}" + "".join(f"{each:>14.1f}" for each in (*per_item, statistics.median(self.times) * 1e3))


@dataclass(frozen=True, slots=True)
class Bench:
    """One project's connections, and a superuser's to look at the server with."""

    superuser: Database
    api: Database
    pipeline: Database
    principal: Principal

    @contextmanager
    def measured(self, step: Step, database: Database) -> Iterator[None]:
        pid, wal = int(database.run("SELECT pg_backend_pid()")[0][0]), self._wal()
        server, client, began = cpu(pid), time.process_time(), time.perf_counter()
        yield
        step.times.append(time.perf_counter() - began)
        step.client += time.process_time() - client
        step.server += cpu(pid) - server
        step.wal += self._wal() - wal

    def _wal(self) -> int:
        return int(self.superuser.run("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")[0][0])


def cpu(pid: int) -> float:
    """Seconds that a process has computed for itself and for the kernel on its behalf."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS


def chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def accept(bench: Bench, count: int, at_once: int) -> tuple[Step, list[PlannedNotification]]:
    store, step, stored = PostgresAcceptances(bench.api), Step(), []
    draft = Draft(to={"email": "ada@example.com"}, channels=(Channel.EMAIL,), content={"subject": "Live", "text": TEXT})
    for start in range(0, count, at_once):
        size = min(at_once, count - start)
        planned = [plan(draft, bench.principal, clock.new_id.born_at, clock.now()) for _ in range(size)]
        with bench.measured(step, bench.api):
            store.accept(bench.principal, planned)
        stored += planned
    return step, stored


def deliver(bench: Bench, fences: dict[UUID, Fence]) -> dict[str, Step]:
    """Each batch through dispatcher, consumer and acks: the statements of all three."""
    steps = {"dispatch": Step(), "lease": Step(), "acknowledge": Step()}
    dispatches, leases = PostgresDispatches(bench.pipeline), PostgresLeases(bench.pipeline)
    outcomes, now = PostgresOutcomes(bench.pipeline), clock.now()
    for ids in chunks(list(fences)):
        with bench.measured(steps["dispatch"], bench.pipeline):
            assert len(dispatches.waiting(ids)) == len(ids)
            dispatches.mark_queued([Queued(fences[each], 0, 0) for each in ids])
        with bench.measured(steps["lease"], bench.pipeline):
            assert len(leases.lease([QueueRecord(fences[each], now) for each in ids], ATTEMPT_LEASE)) == len(ids)
        reports = {each: [Report(each, 1, Accepted(f"msg-{each}"), Done(), clock.now(), 1)] for each in ids}
        with bench.measured(steps["acknowledge"], bench.pipeline):
            states = outcomes.states(ids)
            assert len(outcomes.apply([fold(states[each], reports[each]) for each in ids])) == len(ids)
    return steps


def walk(bench: Bench, count: int) -> None:
    """``count`` deliveries from accepted to sent; the table of what each step took."""
    accepted, stored = accept(bench, count, ACCEPTED_AT_ONCE)
    fences = {d.delivery_id: Fence(d.delivery_id, 1, n.send_at) for n in stored for d in n.deliveries}
    print(f"{'per delivery':<22}{'server us':>14}{'client us':>14}{'WAL bytes':>14}{'ms a call':>14}")
    print(accepted.line(f"accept, {ACCEPTED_AT_ONCE} at once", count))
    for name, step in deliver(bench, fences).items():
        print(step.line(f"{name}, {BATCH} at once", count))


def one_by_one(bench: Bench, count: int) -> None:
    print(accept(bench, count, 1)[0].line("accept, one by one", count))


def occupied(bench: Bench, count: int) -> None:
    """What ``count`` deliveries have left behind, and what it takes to look through them."""
    for table, heap, indexes in bench.superuser.run(SIZES):
        print(f"{table}: {heap / count:.0f} bytes of table and {indexes / count:.0f} of indexes a delivery")
    bench.pipeline.run("SELECT pg_stat_force_next_flush()")
    for table, updates, hot in bench.superuser.run(UPDATES):
        print(f"{table}: {updates / count:.1f} updates a delivery, {hot / max(1, updates):.0%} of them HOT")
    upkeep = PostgresUpkeep(bench.pipeline)
    for name, call in (("lost", lambda: upkeep.lost(300, 480)), ("count_accepted", upkeep.count_accepted)):
        step = Step()
        with bench.measured(step, bench.pipeline):
            call()
        print(f"{name}: {step.server / count * 1e6:.2f} us of server CPU for each of {count} recent rows")


def ahead(bench: Bench, count: int) -> None:
    """The window of the index among ``count`` scheduled deliveries that lie where they were born."""
    bench.superuser.run(f"SET statement_timeout = 0; {PAST_PARTITIONS}", {"weeks": WEEKS})
    bench.superuser.run(FILL, {"project": bench.principal.project_id, "count": count, "weeks": WEEKS, "text": TEXT})
    bench.superuser.run("ANALYZE deliveries")
    weeks, size = bench.superuser.run(WAITING_INDEXES)[0]
    print(f"{count} scheduled in {weeks} weeks; deliveries_due takes {size / count:.0f} bytes each")
    for name, window in (("a minute", timedelta(minutes=1)), ("15 minutes", timedelta(seconds=INDEX_WINDOW))):
        taken, rows = _windows(bench, window)
        print(f"window of {name}: {rows} rows, {taken * 1e3:.1f} ms (median of 50), its plan included")


WAITING_INDEXES = """
SELECT count(*), sum(pg_relation_size(indexrelid))::bigint FROM pg_stat_user_indexes
WHERE relname ~ '^deliveries_' AND indexrelname ~ 'due_at'
"""
# nofy_ensure_partitions makes weeks ahead; these are the ones that a year of accepting has left behind.
PAST_PARTITIONS = """
DO $$
DECLARE
    start timestamptz := date_bin('7 days', now(), timestamptz '2024-01-01 00:00:00+00');
    its text;
BEGIN
    FOR n IN 2..54 LOOP
        its := 'deliveries_' || to_char((start - n * interval '7 days') AT TIME ZONE 'UTC', 'YYYYMMDD');
        EXECUTE format('CREATE TABLE %%I PARTITION OF deliveries FOR VALUES FROM (%%L) TO (%%L)', its,
            nofy_uuid_floor(start - n * interval '7 days'), nofy_uuid_floor(start - (n - 1) * interval '7 days'));
    END LOOP;
END
$$"""


def _windows(bench: Bench, window: timedelta) -> tuple[float, int]:
    """The median time of the statement over windows spread over the year, and how many rows they had."""
    taken, rows, start = [], 0, clock.now() + timedelta(days=2)
    for n in range(50):
        after = start + timedelta(days=7 * n)
        began = time.perf_counter()
        found = bench.pipeline.run(
            statement("waiting_between"), {"after": after, "after_id": LAST_ID, "until": after + window, "limit": 5_000}
        )
        taken.append(time.perf_counter() - began)
        rows += len(found)
    return statistics.median(taken), rows


def main(deliveries: int = DELIVERIES, scheduled: int = SCHEDULED) -> None:
    with tempfile.TemporaryDirectory(prefix="nofy-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's programs run as somebody else
        with servers.postgres(Path(folder)) as dsn:
            owner = Database(dsn, application="bench")
            superuser = Database(servers.superuser_dsn(dsn), application="bench")
            migrate(owner)
            password = secrets.token_urlsafe(16)
            for role in ("nofy_api", "nofy_pipeline", "nofy_operator"):
                superuser.run(f"ALTER ROLE {role} PASSWORD '{password}'")
            api, pipeline, operator = (
                Database(as_role(dsn, f"nofy_{role}", password), application="bench")
                for role in ("api", "pipeline", "operator")
            )
            project(operator)
            principal = PostgresAcceptances(api).principal(TOKEN)
            assert principal is not None
            bench = Bench(superuser, api, pipeline, principal)
            walk(bench, deliveries)
            occupied(bench, deliveries)
            one_by_one(bench, SINGLES)
            ahead(bench, scheduled)
            print("the same steps beside them:")
            walk(bench, deliveries // 4)
            for each in (owner, superuser, api, pipeline, operator):
                each.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
