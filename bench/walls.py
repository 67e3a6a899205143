"""What row-level security costs accepting: ``python -m bench.walls``.

The same statements on the same tables of a real PostgreSQL, by ``nofy_api`` and by a role with its grants and without
walls (BYPASSRLS), in turns, so that what else the machine does hits both alike. Medians; compare the ratios, not the
times. Without waiting for the disk (``synchronous_commit`` off) the walls' share of the work is at its largest.
"""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from local import servers
from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.administration import PostgresAdministration
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.migrate import migrate
from nofy.domain.notification import Draft, PlannedNotification, Principal, plan
from nofy.domain.routing import PROVIDER_OF, Channel
from nofy.domain.tokens import Mode
from nofy.runtime import clock

WALLED, OPEN = "nofy_api", "nofy_unwalled"
WARM_UP = 20
CASES = ((1, 1_000), (100, 60))  # notifications in one accept, and how often each role does it
TOKEN = b"t" * 32


def as_role(dsn: str, role: str, password: str) -> str:
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}"))


def prepare(owner: str, password: str) -> None:
    """The schema, and both roles."""
    database = Database(owner, application="bench")
    migrate(database)
    database.close()
    superuser = Database(servers.superuser_dsn(owner), application="bench")
    superuser.run(f"CREATE ROLE {OPEN} LOGIN BYPASSRLS; GRANT {WALLED} TO {OPEN}")
    for role in (WALLED, OPEN, "nofy_operator"):
        superuser.run(f"ALTER ROLE {role} PASSWORD '{password}'; ALTER ROLE {role} SET enable_partition_pruning = off")
    superuser.close()


def project(operator: Database) -> None:
    administration = PostgresAdministration(operator)
    project_id = clock.new_id()
    administration.create_project(project_id, "Bench")
    administration.create_key(clock.new_id(), project_id, Mode.LIVE, TOKEN, "nofy_…")
    for channel in Channel:
        administration.set_integration(clock.new_id(), project_id, channel, PROVIDER_OF[channel], {}, b"sealed")


def planned(principal: Principal, count: int) -> list[PlannedNotification]:
    draft = Draft(
        to={"email": "ada@example.com", "slack_channel": "C0DEPLOYS"},
        channels=(Channel.SLACK, Channel.EMAIL),
        content={"subject": "Deploy finished", "text": "Build 42 is live"},
    )
    return [plan(draft, principal, clock.new_id.born_at, clock.now()) for _ in range(count)]


def milliseconds(store: PostgresAcceptances, principal: Principal, count: int) -> float:
    notifications = planned(principal, count)
    began = time.perf_counter()
    store.accept(principal, notifications)
    return (time.perf_counter() - began) * 1000


def measure(stores: dict[str, PostgresAcceptances], count: int, times: int) -> dict[str, float]:
    """Each role's median; they begin in turns."""
    principal = stores[WALLED].principal(TOKEN)
    assert principal is not None
    taken: dict[str, list[float]] = {role: [] for role in stores}
    for turn in range(WARM_UP + times):
        for role in sorted(stores, reverse=turn % 2 == 0):
            taken[role].append(milliseconds(stores[role], principal, count))
    return {role: statistics.median(each[WARM_UP:]) for role, each in taken.items()}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="nofy-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's programs run as somebody else
        with servers.postgres(Path(folder)) as owner:
            password = secrets.token_urlsafe(16)
            prepare(owner, password)
            operator = Database(as_role(owner, "nofy_operator", password), application="bench")
            project(operator)
            databases = {role: Database(as_role(owner, role, password), application="bench") for role in (WALLED, OPEN)}
            stores = {role: PostgresAcceptances(each) for role, each in databases.items()}
            print(f"{'commit':<12} {'notifications':>13} {'walls ms':>9} {'none ms':>9} {'ratio':>7}")
            for commit in ("on", "off"):
                for each in databases.values():
                    each.run(f"SET synchronous_commit = {commit}")
                for count, times in CASES:
                    found = measure(stores, count, times)
                    ratio = found[WALLED] / found[OPEN]
                    print(
                        f"{commit:<12} {count:>13} {found[WALLED]:>9.2f} {found[OPEN]:>9.2f} {ratio:>7.3f}", flush=True
                    )
            for each in (operator, *databases.values()):
                each.close()


if __name__ == "__main__":
    main()
