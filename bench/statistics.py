"""How long the overview's figures take with a million notifications behind them: ``python -m bench.statistics``.

A real PostgreSQL is filled with deliveries over thirty days, and with the counters of their minutes in four slots each,
which are folded as the reconciler folds them. Then the statement of ``GET /v1/stats`` is timed as ``nofy_api`` runs it,
from the first time on. Ten thousand deliveries are still ahead, a thousand are queued.
"""

from __future__ import annotations

import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.walls import TOKEN, as_role, project
from local import servers
from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.migrate import migrate
from nofy.adapters.postgres.reading import PostgresReading
from nofy.adapters.postgres.upkeep import PostgresUpkeep
from nofy.domain.statistics import Range

if TYPE_CHECKING:
    from nofy.domain.notification import Principal

NOTIFICATIONS = 1_000_000
TIMES = 20
# Born evenly over thirty days, the last of them now. The statement_timeout is our roles', not the owner's.
FILL = """
CREATE TEMPORARY TABLE born AS
    SELECT n, (left(nofy_uuid_floor(at)::text, 14) || '7' || substr(md5(n::text), 1, 3)
        || '-8' || substr(md5(n::text), 4, 3) || '-' || substr(md5(n::text), 7, 12))::uuid AS id, at,
        (ARRAY['slack', 'email', 'whatsapp'])[1 + n %% 3] AS channel,
        CASE WHEN n %% 100 = 0 THEN 'scheduled' WHEN n %% 1000 = 1 THEN 'queued' WHEN n %% 97 = 0 THEN 'failed'
            ELSE 'sent' END AS status
    FROM (
        SELECT n, now() - interval '30 days' * (1 - n::float8 / %(count)s) AS at FROM generate_series(1, %(count)s) AS n
    ) AS numbered;
INSERT INTO notifications (
    id, project_id, live, class, priority, recipient, content, send_at, expires_at, delivery_mode, created_at
)
SELECT id, %(project)s, true, 'transactional', 'normal', '{"email": "ada@example.com"}', '{"text": "Build 42 is live"}',
    at, at + interval '3 days', 'at_least_once', at
FROM born;
INSERT INTO deliveries (
    id, notification_id, project_id, integration_id, channel, provider, priority, live, destination, content,
    delivery_mode, expires_at, status, due_at, created_at, changed_at
)
SELECT b.id, b.id, %(project)s, i.id, b.channel, i.provider, 'normal', true, 'ada@example.com',
    '{"text": "Build 42 is live"}', 'at_least_once', at + interval '90 days', b.status,
    CASE WHEN b.status = 'scheduled' THEN now() + interval '1 day' ELSE at END, at, at
FROM born b JOIN integrations i ON i.channel = b.channel AND i.project_id = %(project)s;
INSERT INTO delivery_counts (project_id, live, minute, channel, slot, accepted)
SELECT %(project)s, true, minute, channel, 16, count(*)
FROM (SELECT date_trunc('minute', at) AS minute, channel FROM born) AS b GROUP BY minute, channel;
INSERT INTO delivery_counts (project_id, live, minute, channel, slot, sent, failed, retried, times)
SELECT %(project)s, true, minute, channel, slot, count(*) FILTER (WHERE status = 'sent'),
    count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE n %% 50 = 0),
    (SELECT array_agg((abs(hashint4(minute_no + x)) %% 9)::bigint) FROM generate_series(0, 44) AS x)
FROM (
    SELECT date_trunc('minute', at) AS minute, channel, n %% 4 AS slot, status, n,
        extract(epoch FROM date_trunc('minute', at))::int AS minute_no
    FROM born
) AS b
GROUP BY minute, channel, slot, minute_no;
"""

PARTITION = """
DO $$
DECLARE
    start timestamptz := date_bin('7 days', now() - interval '{days} days', '2024-01-01 00:00:00+00');
    its text := '{parent}_' || to_char(start AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    IF to_regclass(its) IS NULL THEN
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF {parent} FOR VALUES FROM (%L) TO (%L)',
            its, nofy_uuid_floor(start), nofy_uuid_floor(start + interval '7 days')
        );
    END IF;
END
$$
"""


def fill(superuser: Database, principal: Principal, count: int) -> None:
    parameters = {"project": principal.project_id, "count": count}
    superuser.run(FILL, parameters)
    superuser.run("INSERT INTO counting_progress (accepted_until) VALUES (date_trunc('minute', now()))")
    superuser.run("ANALYZE")


def past_partitions(owner: Database) -> None:
    """The weeks of thirty days, as they were made ahead of them at the time."""
    for days in (35, 28, 21, 14, 7):
        for parent in ("notifications", "deliveries", "attempts"):
            owner.run(PARTITION.format(days=days, parent=parent))


def folded(pipeline: Database) -> float:
    """Seconds in which the reconciler brought the counters to hours."""
    began, upkeep = time.perf_counter(), PostgresUpkeep(pipeline)
    ripe = "SELECT 1 FROM delivery_counts WHERE slot >= 0 AND minute < now() - interval '11 minutes' OR slot = -1"
    while pipeline.run(f"{ripe} AND minute < now() - interval '25 hours' LIMIT 1"):
        upkeep.fold_counts(5_000)
    return time.perf_counter() - began


def milliseconds(reading: PostgresReading, principal: Principal, span: Range) -> list[float]:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        reading.statistics(principal, span)
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


def main(count: int = NOTIFICATIONS) -> None:
    with tempfile.TemporaryDirectory(prefix="nofy-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's programs run as somebody else
        with servers.postgres(Path(folder)) as dsn:
            measure(dsn, secrets.token_urlsafe(16), count)


def measure(dsn: str, password: str, count: int) -> None:
    owner, superuser = Database(dsn, application="bench"), Database(servers.superuser_dsn(dsn), application="bench")
    migrate(owner)
    roles = ("nofy_api", "nofy_pipeline", "nofy_operator")
    for role in roles:
        superuser.run(f"ALTER ROLE {role} PASSWORD '{password}'")
    api, pipeline, operator = (Database(as_role(dsn, role, password), application="bench") for role in roles)
    project(operator)
    principal = PostgresAcceptances(api).principal(TOKEN)
    assert principal is not None
    past_partitions(owner)
    fill(superuser, principal, count)
    print(f"{count} deliveries; folded in {folded(pipeline):.1f} s to {_rows(superuser)} counters", flush=True)
    reading = PostgresReading(api)
    superuser.run("VACUUM delivery_counts")  # (what autovacuum does along the way)
    view = reading.statistics(principal, Range.MONTH)
    print(f"scheduled {view.present.scheduled}, queued {view.present.queued}, buckets' cells {len(view.cells)}")
    print(f"{'range':<6} {'first ms':>9} {'median ms':>10} {'most ms':>9}")
    for span in Range:
        taken = milliseconds(reading, principal, span)
        print(f"{span:<6} {taken[0]:>9.1f} {statistics.median(taken):>10.1f} {max(taken):>9.1f}", flush=True)
    for each in (owner, superuser, api, pipeline, operator):
        each.close()


def _rows(superuser: Database) -> int:
    return int(superuser.run("SELECT count(*) FROM delivery_counts")[0][0])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
