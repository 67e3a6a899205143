"""The two stores that the same cases run on: memory, and PostgreSQL as its own roles see it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.accounts import PostgresBelongings, PostgresMemberships, PostgresPeople
from nofy.adapters.postgres.administration import PostgresAdministration
from nofy.adapters.postgres.amendments import PostgresAmendments
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.pipeline import PostgresBurials, PostgresDispatches, PostgresLeases, PostgresOutcomes
from nofy.adapters.postgres.reading import PostgresReading
from nofy.adapters.postgres.upkeep import PostgresUpkeep
from nofy.domain.accounts import Actor, ActorKind
from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.tokens import Mode
from nofy.ports.accounts import Belongings, Memberships, People
from nofy.ports.reading import AttemptView, DeliveryView, Reading
from nofy.ports.store import Acceptances, Amendments, Burials, Dispatches, Leases, Outcomes
from nofy.ports.upkeep import Upkeep
from nofy.runtime import clock as real_clock
from tests.fakes import CountingIds, ManualClock, MemoryAccounts, MemoryStore
from tests.fakes.projects import Project, new_project

ROLES = ("nofy_api", "nofy_console", "nofy_pipeline", "nofy_operator")
PASSWORD = "known to this server only"
MONDAY, WEEK = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=7)


class Backend(ABC):
    """Every part of one store, and what a test must be able to do to it behind its back."""

    acceptances: Acceptances
    amendments: Amendments
    dispatches: Dispatches
    leases: Leases
    outcomes: Outcomes
    burials: Burials
    upkeep: Upkeep
    reading: Reading
    memberships: Memberships
    people: People
    belongings: Belongings
    new_id: CountingIds

    @abstractmethod
    def now(self) -> datetime:
        """The store's clock."""

    @abstractmethod
    def let_pass(self, seconds: float) -> None:
        """Make everything that happened so far happen this much earlier; times that were asked for stay."""

    @abstractmethod
    def project(self, mode: Mode = Mode.LIVE) -> Project: ...

    @abstractmethod
    def second_key(self, project: Project, mode: Mode) -> Project:
        """The same project, called with another token."""

    @abstractmethod
    def revoke(self, project: Project) -> None: ...

    @abstractmethod
    def mend(self, integration_id: UUID) -> None:
        """Give the integration another credential."""

    @abstractmethod
    def weigh(self, project: Project, weight: int) -> None:
        """What an operator sets."""

    @abstractmethod
    def held_version(self, integration_id: UUID) -> int | None: ...

    @abstractmethod
    def lease_until(self, delivery_id: UUID, attempt_no: int) -> datetime: ...

    @abstractmethod
    def dead_letters(self) -> list[DeadLetter]:
        """All of them, in the order of their text."""

    @abstractmethod
    def vanish(self, delivery_id: UUID) -> None:
        """Lose a row, which must never happen."""

    @abstractmethod
    def make_week(self, moment: datetime) -> None:
        """The partitions of a moment's week, as they were made ahead of it at the time."""

    @abstractmethod
    def in_flight(self, project: Project, key: str) -> AbstractContextManager[None]:
        """Another request with this idempotency key is being worked on."""

    def delivery(self, project: Project, delivery_id: UUID, notification_id: UUID) -> DeliveryView:
        view = self.reading.notification(project.principal, notification_id)
        assert view is not None
        return next(each for each in view.deliveries if each.delivery_id == delivery_id)

    def attempt(self, project: Project, delivery_id: UUID, notification_id: UUID, number: int = 1) -> AttemptView:
        attempts = self.delivery(project, delivery_id, notification_id).attempts
        return next(each for each in attempts if each.attempt_no == number)


class MemoryBackend(Backend):
    def __init__(self) -> None:
        # Whatever the real time is: half past, so that no case depends on an hour's edge.
        self.clock = ManualClock(real_clock.now().replace(minute=30, second=0, microsecond=123_456))
        self.new_id = CountingIds(self.clock)
        self.store = MemoryStore(self.clock)
        self.acceptances = self.amendments = self.dispatches = self.leases = self.store
        self.outcomes = self.burials = self.upkeep = self.reading = self.store
        self.memberships = self.people = self.belongings = MemoryAccounts(self.store, self.clock)

    def now(self) -> datetime:
        return self.clock()

    def let_pass(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def project(self, mode: Mode = Mode.LIVE) -> Project:
        project = new_project(self.clock, self.new_id, mode=mode)
        self.store.add_key(project.token_hash, project.principal)
        return project

    def second_key(self, project: Project, mode: Mode) -> Project:
        other = _with_another_key(project, mode)
        self.store.add_key(other.token_hash, other.principal)
        return other

    def revoke(self, project: Project) -> None:
        self.store.revoke(project.token_hash)

    def mend(self, integration_id: UUID) -> None:
        self.store.mend(integration_id)

    def weigh(self, project: Project, weight: int) -> None:
        self.store.tables.projects[project.principal.project_id].weight = weight

    def held_version(self, integration_id: UUID) -> int | None:
        return self.store.tables.integrations[integration_id].held_version

    def lease_until(self, delivery_id: UUID, attempt_no: int) -> datetime:
        return self.store.tables.deliveries[delivery_id].attempts[attempt_no].lease_until

    def dead_letters(self) -> list[DeadLetter]:
        return sorted((each.letter for each in self.store.tables.dead_letters), key=repr)

    def vanish(self, delivery_id: UUID) -> None:
        self.store.vanish(delivery_id)

    def make_week(self, moment: datetime) -> None:
        """Memory has none."""

    @contextmanager
    def in_flight(self, project: Project, key: str) -> Iterator[None]:
        entry = (project.principal.project_id, project.principal.mode, key)
        self.store.tables.in_flight.add(entry)
        yield
        self.store.tables.in_flight.discard(entry)


class PostgresBackend(Backend):
    """Each part connects as the role that its function has, so the grants are tested with the statements."""

    def __init__(self, owner: str, superuser: str) -> None:
        self.superuser = Database(superuser, application="contract")
        self._api = Database(as_role(owner, "nofy_api"), application="contract-api")
        self._pipeline = Database(as_role(owner, "nofy_pipeline"), application="contract-pipeline")
        self._console = Database(as_role(owner, "nofy_console"), application="contract-console")
        self._operator = Database(as_role(owner, "nofy_operator"), application="contract-operator")
        self.owner_dsn, self.superuser_dsn = owner, superuser
        self.new_id = CountingIds(real_clock.now)
        self.acceptances = PostgresAcceptances(self._api)
        self.amendments = PostgresAmendments(self._api)
        self.reading = PostgresReading(self._api)
        self.dispatches = PostgresDispatches(self._pipeline)
        self.leases = PostgresLeases(self._pipeline)
        self.outcomes = PostgresOutcomes(self._pipeline)
        self.burials = PostgresBurials(self._pipeline, real_clock.new_id)
        self.upkeep = PostgresUpkeep(self._pipeline)
        self.memberships = PostgresMemberships(self._api)
        self.people = PostgresPeople(self._console)
        self.belongings = PostgresBelongings(self._console)
        self._administration = PostgresAdministration(self._operator)

    def clean(self) -> None:
        """Emptied row by row: TRUNCATE makes new files for forty tables, which takes longer than a test."""
        tables = (
            "attempts deliveries notifications idempotency_keys dead_letters accepted_per_hour index_progress"
            " delivery_counts counting_progress retained audit_log invitations memberships users integrations api_keys"
            " projects"
        )
        # (as a replica would: the audit log's trigger does not fire then)
        unguarded = "SELECT set_config('session_replication_role', 'replica', true);"
        self.superuser.run(unguarded + ";".join(f"DELETE FROM {each}" for each in tables.split()))

    def close(self) -> None:
        for each in (self.superuser, self._api, self._console, self._pipeline, self._operator):
            each.close()

    def connection(self, role: str) -> Database:
        """Another connection, as somebody else's would be."""
        return Database(as_role(self.owner_dsn, role), application="contract-other")

    def now(self) -> datetime:
        return self.superuser.run("SELECT clock_timestamp()")[0][0]

    def let_pass(self, seconds: float) -> None:
        columns = {
            "deliveries": ["changed_at"],
            "attempts": ["lease_until", "leased_at", "acknowledged_at"],
            "idempotency_keys": ["created_at"],
            "api_keys": ["revoked_at", "last_used_at"],
            "retained": ["since"],
        }
        earlier = "{0} = {0} - make_interval(secs => %(seconds)s)"
        for table, names in columns.items():
            changes = ", ".join(earlier.format(each) for each in names)
            self.superuser.run(f"UPDATE {table} SET {changes}", {"seconds": seconds})

    def project(self, mode: Mode = Mode.LIVE) -> Project:
        project = new_project(real_clock.now, self.new_id, mode=mode)
        principal = project.principal
        self._administration.create_project(principal.project_id, "Contract")
        self._add_key(project)
        for each in principal.integrations:
            self._set_credential(principal.project_id, each.integration_id, b"sealed", each)
        return project

    def second_key(self, project: Project, mode: Mode) -> Project:
        other = _with_another_key(project, mode)
        self._add_key(other)
        return other

    def _add_key(self, project: Project) -> None:
        principal = project.principal
        self._administration.create_key(
            principal.actor.actor_id, principal.project_id, principal.mode, project.token_hash, "nofy_…"
        )

    def _set_credential(self, project_id, integration_id, credential, like) -> None:
        self._administration.set_integration(
            integration_id, project_id, like.channel, like.provider, like.settings, credential
        )

    def revoke(self, project: Project) -> None:
        key_id = project.principal.actor.actor_id
        self.superuser.run("UPDATE api_keys SET revoked_at = now() WHERE id = %(id)s", {"id": key_id})

    def mend(self, integration_id: UUID) -> None:
        rows = self.superuser.run(
            "SELECT project_id, channel, provider, settings FROM integrations WHERE id = %(id)s",
            {"id": integration_id},
        )
        project_id, channel, provider, settings = rows[0]
        self._administration.set_integration(integration_id, project_id, channel, provider, settings, b"sealed anew")

    def weigh(self, project: Project, weight: int) -> None:
        known = {"project_id": project.principal.project_id, "weight": weight}
        self.superuser.run("UPDATE projects SET weight = %(weight)s WHERE id = %(project_id)s", known)

    def held_version(self, integration_id: UUID) -> int | None:
        return self._value("SELECT held_version FROM integrations WHERE id = %(id)s", id=integration_id)

    def lease_until(self, delivery_id: UUID, attempt_no: int) -> datetime:
        query = "SELECT lease_until FROM attempts WHERE delivery_id = %(id)s AND attempt_no = %(number)s"
        return self._value(query, id=delivery_id, number=attempt_no)

    def _value(self, query: str, **parameters):
        return self.superuser.run(query, parameters)[0][0]

    def dead_letters(self) -> list[DeadLetter]:
        rows = self.superuser.run("SELECT kind, reason, delivery_id, attempt_no, source, raw FROM dead_letters")
        letters = [
            DeadLetter(Kind(kind), reason, delivery_id, attempt_no, source, bytes(raw) if raw is not None else None)
            for kind, reason, delivery_id, attempt_no, source, raw in rows
        ]
        return sorted(letters, key=repr)

    def vanish(self, delivery_id: UUID) -> None:
        self.superuser.run("DELETE FROM deliveries WHERE id = %(id)s", {"id": delivery_id})

    def make_week(self, moment: datetime) -> None:
        owner = Database(self.owner_dsn, application="contract-weeks")
        monday = MONDAY + (moment - MONDAY) // WEEK * WEEK
        known = owner.run("SELECT to_regclass(%(name)s)", {"name": f"deliveries_{monday:%Y%m%d}"})
        if known != [(None,)]:
            owner.close()
            return
        for parent in ("notifications", "deliveries", "attempts"):
            name = f"{parent}_{monday:%Y%m%d}"
            bounds = {"start": monday, "end": monday + WEEK}
            low, high = owner.run("SELECT nofy_uuid_floor(%(start)s)::text, nofy_uuid_floor(%(end)s)::text", bounds)[0]
            owner.run(
                f"CREATE TABLE {name} (LIKE {parent} INCLUDING ALL);"
                f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')"
            )
        owner.close()

    @contextmanager
    def in_flight(self, project: Project, key: str) -> Iterator[None]:
        import psycopg2

        connection = psycopg2.connect(as_role(self.owner_dsn, "nofy_api"))
        try:
            with connection.cursor() as cursor:
                principal = project.principal
                claimed = (str(principal.project_id), principal.mode is Mode.LIVE, key)
                cursor.execute("SELECT set_config('nofy.project_id', %s, true)", claimed[:1])
                cursor.execute("SELECT nofy_claim_key(%s, %s, %s)", claimed)
            yield
        finally:
            connection.rollback()  # closing alone does not wait until the server has let go of the lock
            connection.close()


def as_role(dsn: str, role: str) -> str:
    parts = urlsplit(dsn)
    secret = PASSWORD.replace(" ", "%20")
    return urlunsplit(parts._replace(netloc=f"{role}:{secret}@{parts.hostname}:{parts.port}"))


def _with_another_key(project: Project, mode: Mode) -> Project:
    key_id = project.new_id()
    principal = replace(project.principal, actor=Actor(ActorKind.TOKEN, key_id), mode=mode)
    return replace(project, principal=principal, token_hash=key_id.bytes * 2)


__all__ = ["PASSWORD", "ROLES", "Backend", "MemoryBackend", "PostgresBackend", "as_role"]
