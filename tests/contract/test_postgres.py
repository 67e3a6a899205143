"""What only a real PostgreSQL can show: two connections at once, walls between projects, partitions."""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest

from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.amendments import PostgresAmendments
from nofy.adapters.postgres.database import STATEMENT_TIMEOUT_MS, Database, RefusedByDatabaseError, statement
from nofy.adapters.postgres.migrate import migrate, migrations
from nofy.adapters.postgres.pipeline import PostgresBurials, PostgresDispatches, PostgresLeases, PostgresOutcomes
from nofy.adapters.postgres.upkeep import PostgresUpkeep
from nofy.domain.dead_letters import ACCEPTED_AFTER_ALL, DeadLetter, Kind
from nofy.domain.delivery import fold
from nofy.domain.errors import ConflictError, SignInError, StoreUnavailableError
from nofy.domain.ids import uuid7
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Accepted, Rejected, RejectionKind, Transient, Unknown
from nofy.domain.records import QueueRecord
from nofy.domain.retry import GiveUp, Retry
from nofy.domain.timing import ROW_RETENTION
from nofy.ports.reading import ANY_DEAD_LETTER
from nofy.ports.store import IdempotencyClaim, Queued
from tests.contract.stores import PASSWORD, ROLES, PostgresBackend, as_role
from tests.contract.stories import LEASE_SECONDS, accepted


@contextmanager
def another(postgres: PostgresBackend, role: str) -> Iterator[Database]:
    database = postgres.connection(role)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def transaction(dsn: str, statement: str, *parameters: object) -> Iterator[None]:
    """Somebody else's statement, done and not committed until the block ends."""
    connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
        yield
        connection.commit()
    finally:
        connection.close()


def in_the_background(work: Callable[[], object]) -> Future:
    """Begins the work and comes back when it waits for a lock (or is done)."""
    future: Future = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  # the caller asks for it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    time.sleep(0.15)
    return future


# Two at once


def test_two_consumers_lease_each_delivery_once(postgres: PostgresBackend) -> None:
    told = [accepted(postgres) for _ in range(20)]
    records = [QueueRecord(each.fence, postgres.now()) for each in told]
    with another(postgres, "nofy_pipeline") as one, another(postgres, "nofy_pipeline") as two:
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(PostgresLeases(one).lease, records, LEASE_SECONDS)
            second = pool.submit(PostgresLeases(two).lease, records[::-1], LEASE_SECONDS)
        leased = [each.fence for future in (first, second) for each in future.result()]
    assert sorted(leased, key=str) == sorted((each.fence for each in told), key=str)


def test_a_lease_waits_for_a_dispatcher_that_is_just_marking_and_then_holds(postgres: PostgresBackend) -> None:
    told = accepted(postgres)
    record = QueueRecord(told.fence, postgres.now())
    marking = "UPDATE deliveries SET status = 'queued' WHERE id = %s"
    with another(postgres, "nofy_pipeline") as other:
        with transaction(postgres.superuser_dsn, marking, str(told.id)):
            lease = in_the_background(lambda: PostgresLeases(other).lease([record], LEASE_SECONDS))
            assert not lease.done()
        assert [each.fence for each in lease.result(5)] == [told.fence]
    assert told.status is Status.SENDING


def test_late_truth_sees_a_letter_that_was_stored_while_it_waited(postgres: PostgresBackend) -> None:
    told = accepted(postgres).lease()
    change = fold(told.state, [told.report(Accepted("message-1"))])
    storing = """
        SELECT FROM deliveries WHERE id = %s FOR SHARE;
        INSERT INTO dead_letters (id, project_id, kind, reason, fingerprint, delivery_id, attempt_no)
        SELECT %s, project_id, 'delivery', 'unknown: silence', 'f', id, 1 FROM deliveries WHERE id = %s
    """
    letter = str(told.id), str(told.project.new_id()), str(told.id)
    with another(postgres, "nofy_pipeline") as other:
        with transaction(postgres.superuser_dsn, storing, *letter):
            applied = in_the_background(lambda: PostgresOutcomes(other).apply([change]))
            assert not applied.done()
        assert applied.result(5) == {told.id}
    assert discard_reasons(postgres) == [ACCEPTED_AFTER_ALL]


def test_a_letter_waits_for_late_truth_that_is_just_told_and_is_stored_as_discarded(postgres: PostgresBackend) -> None:
    told = accepted(postgres).lease()
    telling = "UPDATE deliveries SET status = 'sent' WHERE id = %s"
    letter = DeadLetter(Kind.DELIVERY, "unknown: silence", told.id, 1)
    with another(postgres, "nofy_pipeline") as other:
        with transaction(postgres.superuser_dsn, telling, str(told.id)):
            buried = in_the_background(lambda: PostgresBurials(other, told.project.new_id).bury([letter]))
            assert not buried.done()
        buried.result(5)
    assert discard_reasons(postgres) == [ACCEPTED_AFTER_ALL]


def test_late_truth_and_a_redrive_do_not_deadlock(postgres: PostgresBackend) -> None:
    told = accepted(postgres).lease()
    assert told.settle(told.report(Unknown("silence"), GiveUp("exhausted")))
    postgres.burials.bury([DeadLetter(Kind.DELIVERY, "exhausted", told.id, 1)])
    holding = "SELECT FROM deliveries WHERE id = %s FOR UPDATE"
    change = fold(told.state, [told.report(Accepted("message-1"))])
    principal = told.project.principal
    wanted = {"limit": 10, "per_second": 1.0, "skip_expired": False}
    with another(postgres, "nofy_pipeline") as other, another(postgres, "nofy_api") as api:
        with transaction(postgres.superuser_dsn, holding, str(told.id)):
            applied = in_the_background(lambda: PostgresOutcomes(other).apply([change]))
            redriven = in_the_background(
                lambda: PostgresAmendments(api).redrive_many(principal, ANY_DEAD_LETTER, **wanted)
            )
        assert applied.result(5) == {told.id}
        assert redriven.result(5).entries == []
    assert discard_reasons(postgres) == [ACCEPTED_AFTER_ALL]


def discard_reasons(postgres: PostgresBackend) -> list[str | None]:
    return [reason for (reason,) in postgres.superuser.run("SELECT discard_reason FROM dead_letters")]


def test_a_lease_waits_for_a_cancellation_and_then_does_not_hold(postgres: PostgresBackend) -> None:
    told = accepted(postgres)
    record = QueueRecord(told.fence, postgres.now())
    cancelling = "UPDATE deliveries SET status = 'cancelled' WHERE id = %s"
    with another(postgres, "nofy_pipeline") as other:
        with transaction(postgres.superuser_dsn, cancelling, str(told.id)):
            lease = in_the_background(lambda: PostgresLeases(other).lease([record], LEASE_SECONDS))
        assert lease.result(5) == []
    assert told.status is Status.CANCELLED
    assert told.view.attempts == ()


def test_an_ack_waits_for_whoever_changes_the_row_and_then_loses(postgres: PostgresBackend) -> None:
    # PostgreSQL 18.6 crashed here while it was allowed to prune partitions: see migration 0006.
    told = accepted(postgres).lease()
    change = fold(told.state, [told.report(Transient("503"), Retry(told.fence.due_at))])
    moving_on = "UPDATE deliveries SET status = 'sent' WHERE id = %s"
    with another(postgres, "nofy_pipeline") as other:
        with transaction(postgres.superuser_dsn, moving_on, str(told.id)):
            applied = in_the_background(lambda: PostgresOutcomes(other).apply([change]))
        assert applied.result(5) == set()
    assert told.status is Status.SENT
    assert told.attempt().report is None


def test_a_dispatcher_and_a_consumer_in_opposite_orders_do_not_deadlock(postgres: PostgresBackend) -> None:
    one, two = sorted((accepted(postgres) for _ in range(2)), key=lambda told: told.id)
    records = [QueueRecord(each.fence, postgres.now()) for each in (one, two)]
    queued = [Queued(each.fence, 0, 0) for each in (two, one)]
    with another(postgres, "nofy_pipeline") as consumer, another(postgres, "nofy_pipeline") as dispatcher:
        with transaction(postgres.superuser_dsn, "SELECT FROM deliveries WHERE id = %s FOR UPDATE", str(one.id)):
            lease = in_the_background(lambda: PostgresLeases(consumer).lease(records, LEASE_SECONDS))
            marked = in_the_background(lambda: PostgresDispatches(dispatcher).mark_queued(queued))
        assert {each.fence for each in lease.result(5)} == {one.fence, two.fence}
        marked.result(5)
    assert (one.status, two.status) == (Status.SENDING, Status.SENDING)


def test_a_mark_waits_for_a_lease_and_the_rest_of_its_batch_is_marked(postgres: PostgresBackend) -> None:
    told = [accepted(postgres) for _ in range(4)]
    sending = "UPDATE deliveries SET status = 'sending' WHERE id = %s"
    with another(postgres, "nofy_pipeline") as other:
        with transaction(postgres.superuser_dsn, sending, str(told[0].id)):
            queued = [Queued(each.fence, 0, 0) for each in told]
            marked = in_the_background(lambda: PostgresDispatches(other).mark_queued(queued))
        marked.result(5)
    assert [each.status for each in told] == [Status.SENDING, *[Status.QUEUED] * 3]


@pytest.mark.parametrize("step", ["release_held", "expire_held"])
def test_a_sweep_passes_over_what_somebody_just_cancels(postgres: PostgresBackend, step: str) -> None:
    told = [accepted(postgres, born_ago=60, expires_in=30) for _ in range(3)]
    postgres.dispatches.hold([each.fence for each in told])
    cancelling = "UPDATE deliveries SET status = 'cancelled' WHERE id = %s"
    with another(postgres, "nofy_pipeline") as other:
        with transaction(postgres.superuser_dsn, cancelling, str(told[0].id)):
            swept = in_the_background(lambda: getattr(PostgresUpkeep(other), step)(10))
        swept.result(5)
    assert told[0].status is Status.CANCELLED
    assert len({each.status for each in told[1:]} - {Status.HELD}) == 1


def test_a_dead_letter_that_two_people_redrive_is_redriven_once(postgres: PostgresBackend) -> None:
    told = accepted(postgres).lease()
    assert told.settle(told.report(Rejected(RejectionKind.RECIPIENT, "gone"), GiveUp("gone")))
    postgres.burials.bury([DeadLetter(Kind.DELIVERY, "gone", told.id, 1)])
    principal = told.project.principal
    (letter,) = postgres.reading.dead_letters(principal, None, None, 10)
    redriving = "UPDATE dead_letters SET redriven_at = now() WHERE delivery_id = %s"
    with another(postgres, "nofy_api") as other:
        with transaction(postgres.superuser_dsn, redriving, str(told.id)):
            second = in_the_background(lambda: PostgresAmendments(other).redrive(principal, letter.dead_letter_id))
        assert second.result(5) == []
    assert told.status is Status.FAILED


def test_a_group_that_two_people_redrive_at_once_is_redriven_once(postgres: PostgresBackend) -> None:
    project = postgres.project()
    told = [accepted(postgres, project).lease() for _ in range(40)]
    for each in told:
        assert each.settle(each.report(Rejected(RejectionKind.RECIPIENT, "gone"), GiveUp("gone")))
    postgres.burials.bury([DeadLetter(Kind.DELIVERY, "gone", each.id, 1) for each in told[::-1]])
    limits = {"limit": 100, "per_second": 100.0, "skip_expired": False}
    with another(postgres, "nofy_api") as one, another(postgres, "nofy_api") as two, ThreadPoolExecutor(2) as pool:
        redriving = [
            pool.submit(PostgresAmendments(each).redrive_many, project.principal, ANY_DEAD_LETTER, **limits)
            for each in (one, two)
        ]
        entries = [entry for each in redriving for entry in each.result().entries]
    assert sorted(each.delivery_id for each in entries) == sorted(each.id for each in told)
    assert {each.view.attempt_no for each in told} == {2}


def test_a_redrive_and_a_discard_of_the_same_letters_share_them_and_do_not_deadlock(postgres: PostgresBackend) -> None:
    project = postgres.project()
    told = [accepted(postgres, project).lease() for _ in range(40)]
    for each in told:
        assert each.settle(each.report(Rejected(RejectionKind.RECIPIENT, "gone"), GiveUp("gone")))
    postgres.burials.bury([DeadLetter(Kind.DELIVERY, "gone", each.id, 1) for each in told[::-1]])
    with another(postgres, "nofy_api") as one, another(postgres, "nofy_api") as two, ThreadPoolExecutor(2) as pool:
        caller = project.principal
        redriven = pool.submit(
            PostgresAmendments(one).redrive_many, caller, ANY_DEAD_LETTER, 100, 100.0, skip_expired=False
        )
        discarded = pool.submit(PostgresAmendments(two).discard, caller, ANY_DEAD_LETTER, 100, "a mistake")
        assert len(redriven.result().entries) + discarded.result().letters == len(told)


def test_two_acks_handlers_in_opposite_orders_do_not_deadlock(postgres: PostgresBackend) -> None:
    told = [accepted(postgres).lease() for _ in range(30)]
    changes = [fold(each.state, [each.report(Accepted())]) for each in told]
    with another(postgres, "nofy_pipeline") as one, another(postgres, "nofy_pipeline") as two:
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(PostgresOutcomes(one).apply, changes)
            second = pool.submit(PostgresOutcomes(two).apply, changes[::-1])
        first.result()
        second.result()
    assert {each.status for each in told} == {Status.SENT}


def test_of_two_requests_with_one_key_one_is_accepted(postgres: PostgresBackend) -> None:
    project = postgres.project()
    planned = [project.plan() for _ in range(8)]
    claim = IdempotencyClaim("order-1", b"h" * 32, {"id": "first"})

    def request(each):
        with another(postgres, "nofy_api") as database:
            try:
                return PostgresAcceptances(database).accept(project.principal, [each], claim)
            except ConflictError:
                return "in flight"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(request, planned))
    assert answers.count(None) == 1
    stored = [postgres.reading.notification(project.principal, each.notification_id) for each in planned]
    assert sum(each is not None for each in stored) == 1


# Sessions


@pytest.mark.parametrize("role", ROLES)
def test_a_session_is_set_by_its_role_since_a_proxy_takes_no_options(postgres: PostgresBackend, role: str) -> None:
    names = ("statement_timeout", "timezone", "enable_partition_pruning")
    with another(postgres, role) as database:
        assert [database.run(f"SHOW {each}")[0][0] for each in names] == [
            f"{STATEMENT_TIMEOUT_MS // 1_000}s",
            "UTC",
            "off",
        ]


def test_our_roles_sign_in_by_iam_where_the_server_knows_it(postgres: PostgresBackend) -> None:
    (sessions,) = (text for name, text in migrations() if name == "0006_sessions.sql")
    owner = Database(postgres.owner_dsn, application="contract-migrate")
    owner.run("CREATE ROLE rds_iam")
    try:
        owner.run(sessions)
        may = "SELECT rolname FROM pg_roles WHERE pg_has_role(oid, 'rds_iam', 'MEMBER') AND rolname LIKE 'nofy_%'"
        assert {row[0] for row in postgres.superuser.run(may)} >= {"nofy_api", "nofy_operator", "nofy_pipeline"}
    finally:
        owner.run("DROP ROLE rds_iam")
        owner.close()


def test_every_connection_has_a_password_of_its_own(postgres: PostgresBackend) -> None:
    passwords = iter([PASSWORD, PASSWORD, "stale"])
    without = as_role(postgres.owner_dsn, "nofy_pipeline").replace(PASSWORD.replace(" ", "%20"), "")
    database = Database(without, application="contract-token", password=lambda: next(passwords))
    assert [database.run("SELECT 1"), database.run("SELECT 2")] == [[(1,)], [(2,)]]
    database.close()
    assert database.run("SELECT 3") == [(3,)]
    database.close()
    with pytest.raises(StoreUnavailableError):
        database.run("SELECT 4")
    assert list(passwords) == []


def test_who_cannot_sign_in_has_no_store() -> None:
    def nobody() -> str:
        raise SignInError("no credentials")

    database = Database("postgresql://nofy_api@127.0.0.1:1/nofy", application="contract", password=nobody)
    with pytest.raises(StoreUnavailableError, match="no credentials"):
        database.run("SELECT 1")


# Walls between projects


@pytest.mark.parametrize("role", ["nofy_api", "nofy_pipeline", "nofy_operator"])
def test_no_role_of_ours_may_pass_the_walls(postgres: PostgresBackend, role: str) -> None:
    query = "SELECT rolbypassrls, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %(role)s"
    assert postgres.superuser.run(query, {"role": role}) == [(False, False, False, False)]


def test_every_table_with_a_projects_rows_has_its_wall_enabled_and_forced(postgres: PostgresBackend) -> None:
    query = """
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'project_id'
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
            AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
    """
    assert postgres.superuser.run(query) == []


TABLES = "projects api_keys integrations notifications deliveries attempts idempotency_keys dead_letters".split()


@pytest.mark.parametrize("table", TABLES)
def test_the_api_sees_nothing_without_a_project(postgres: PostgresBackend, table: str) -> None:
    accepted(postgres).lease()
    columns = "id" if table == "integrations" else "count(*)"
    with another(postgres, "nofy_api") as database:
        assert database.run(f"SELECT {columns} FROM {table}") in ([], [(0,)])


@pytest.mark.parametrize("table", ["notifications", "deliveries", "attempts"])
def test_the_api_sees_its_own_projects_rows_only(postgres: PostgresBackend, table: str) -> None:
    ours, theirs = accepted(postgres).lease(), accepted(postgres).lease()
    key = {"notifications": "id", "deliveries": "notification_id", "attempts": "delivery_id"}[table]
    with another(postgres, "nofy_api") as database:
        rows = database.run(
            f"SELECT set_config('nofy.project_id', %(id)s, true); SELECT {key} FROM {table}",
            {"id": str(ours.project.principal.project_id)},
        )
    expected = ours.id if table == "attempts" else ours.planned.notification_id
    assert rows == [(expected,)]
    assert theirs.status is Status.SENDING


def test_the_project_is_forgotten_when_its_transaction_ends(postgres: PostgresBackend) -> None:
    told = accepted(postgres)
    with another(postgres, "nofy_api") as database:
        PostgresAcceptances(database).accept(told.project.principal, [told.project.plan()])
        assert database.run("SELECT count(*) FROM deliveries") == [(0,)]


def test_the_api_cannot_write_into_another_project(postgres: PostgresBackend) -> None:
    ours, theirs = postgres.project(), accepted(postgres)
    writes = [
        (
            "INSERT INTO idempotency_keys (project_id, live, key, request_hash, answer)"
            " VALUES (%(them)s, true, 'k', '', '{}')"
        ),
        "UPDATE deliveries SET project_id = %(us)s WHERE project_id = %(them)s",
        "UPDATE deliveries SET project_id = %(them)s",
    ]
    mine = accepted(postgres, ours)
    parameters = {"us": ours.principal.project_id, "them": theirs.project.principal.project_id}
    with another(postgres, "nofy_api") as database:
        for write in writes:
            try:
                database.run(f"SELECT set_config('nofy.project_id', %(us)s::text, true); {write}", parameters)
            except RefusedByDatabaseError as error:
                assert error.code == "42501"  # noqa: PT017  # refused, or (an UPDATE) none of their rows seen
    assert (mine.status, theirs.status) == (Status.SCHEDULED, Status.SCHEDULED)
    assert postgres.superuser.run("SELECT count(*) FROM idempotency_keys") == [(0,)]


def test_the_api_never_reads_a_credential(postgres: PostgresBackend) -> None:
    project = postgres.project()
    with another(postgres, "nofy_api") as database, pytest.raises(RefusedByDatabaseError, match="42501"):
        database.run(
            "SELECT set_config('nofy.project_id', %(id)s::text, true); SELECT credential FROM integrations",
            {"id": project.principal.project_id},
        )


# Partitions


def test_making_partitions_twice_makes_them_once(postgres: PostgresBackend) -> None:
    count = "SELECT count(*) FROM pg_inherits"
    postgres.upkeep.ensure_partitions(21)
    before = postgres.superuser.run(count)
    postgres.upkeep.ensure_partitions(21)
    assert postgres.superuser.run(count) == before
    postgres.upkeep.ensure_partitions(35)
    assert postgres.superuser.run(count) > before


def test_rows_land_in_their_week(postgres: PostgresBackend) -> None:
    postgres.upkeep.ensure_partitions(21)
    monday = datetime(2024, 1, 1, tzinfo=UTC)
    now = postgres.now()
    this_week = monday + (now - monday) // timedelta(days=7) * timedelta(days=7)
    edge = this_week + timedelta(days=7)
    project = postgres.project()
    moments = [this_week, edge - timedelta(milliseconds=1), edge, edge + timedelta(days=7)]
    for moment in moments:
        for random in (b"\x00" * 10, b"\xff" * 10):
            postgres.superuser.run(
                "INSERT INTO notifications (id, project_id, live, class, priority, recipient, content, send_at,"
                " expires_at, delivery_mode, created_at) VALUES (%(id)s, %(project)s, true, '', '', '{}', '{}', now(),"
                " now(), '', now())",
                {"id": uuid7(moment, random), "project": project.principal.project_id},
            )
    rows = postgres.superuser.run("SELECT tableoid::regclass::text FROM notifications ORDER BY id")
    weeks = [this_week, this_week, edge, edge + timedelta(days=7)]
    assert [row[0] for row in rows] == [f"notifications_{w:%Y%m%d}" for w in weeks for _ in range(2)]


def test_a_week_that_somebody_reads_is_dropped_by_a_later_sweep(postgres: PostgresBackend) -> None:
    long_ago = 100 * 24 * 3600
    while postgres.upkeep.drop_partition(ROW_RETENTION):
        pass  # what an earlier case left
    postgres.make_week(postgres.now() - timedelta(seconds=long_ago))
    count = "SELECT count(*) FROM pg_inherits"
    before = postgres.superuser.run(count)
    with another(postgres, "nofy_pipeline") as other:
        with transaction(postgres.superuser_dsn, "SELECT FROM deliveries"):
            assert PostgresUpkeep(other).drop_partition(ROW_RETENTION) == 0
        assert postgres.superuser.run(count) == before
        assert PostgresUpkeep(other).drop_partition(ROW_RETENTION) == 1
    assert postgres.superuser.run(count) < before


def test_a_week_in_which_somebody_just_redrives_stays(postgres: PostgresBackend) -> None:
    while postgres.upkeep.drop_partition(ROW_RETENTION):
        pass  # what an earlier case left
    long_ago = 100 * 24 * 3600
    postgres.make_week(postgres.now() - timedelta(seconds=long_ago))
    told = accepted(postgres, born_ago=long_ago, expires_in=2 * long_ago).lease()
    assert told.settle(told.report(Rejected(RejectionKind.RECIPIENT, "gone"), GiveUp("gone")))
    redriving = "UPDATE deliveries SET status = 'retrying' WHERE id = %s"
    with another(postgres, "nofy_pipeline") as other:
        with transaction(postgres.superuser_dsn, redriving, str(told.id)):
            dropped = in_the_background(lambda: PostgresUpkeep(other).drop_partition(ROW_RETENTION))
        assert dropped.result(5) == 0
    assert told.status is Status.RETRYING


def test_no_week_is_dropped_that_kafka_may_still_speak_of(postgres: PostgresBackend) -> None:
    while postgres.upkeep.drop_partition(0):
        pass  # what an earlier case left, though it be younger than the time of retention
    postgres.make_week(postgres.now() - timedelta(days=10))
    before = postgres.superuser.run("SELECT count(*) FROM pg_inherits")
    assert postgres.upkeep.drop_partition(0) == 0
    assert postgres.superuser.run("SELECT count(*) FROM pg_inherits") == before


def test_only_the_pipeline_may_drop_a_week(postgres: PostgresBackend) -> None:
    with another(postgres, "nofy_api") as database, pytest.raises(RefusedByDatabaseError, match="42501"):
        database.run("SELECT nofy_drop_partition(now())")


def test_new_partitions_have_the_keys_and_indexes_of_the_first(postgres: PostgresBackend) -> None:
    postgres.upkeep.ensure_partitions(28)
    rows = postgres.superuser.run(
        "SELECT p.relname, count(*) FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid"
        " JOIN pg_class p ON p.oid = h.inhparent JOIN pg_index i ON i.indrelid = c.oid"
        " WHERE p.relkind = 'p' GROUP BY p.relname, c.relname"
    )
    assert len({*rows}) == 3


def test_what_the_release_before_says_is_still_understood(postgres: PostgresBackend) -> None:
    """It runs on while the database is migrated already, and said everything of every notification."""
    project = postgres.project()
    planned = project.plan(due_in=60)
    now = planned.created_at.isoformat()
    notification = {"id": str(planned.notification_id), "class": "transactional", "priority": "normal"} | {
        "recipient": {"slack_channel": "C1"},
        "content": {"text": "Hi"},
        "send_at": planned.send_at.isoformat(),
        "expires_at": planned.expires_at.isoformat(),
        "delivery_mode": "at_least_once",
        "reference": None,
        "tags": [],
        "metadata": {},
        "created_at": now,
    }
    delivery = {
        "id": str(planned.deliveries[0].delivery_id),
        "notification_id": notification["id"],
        "integration_id": str(project.integration()),
        "channel": "slack",
        "provider": "slack",
        "destination": "C1",
        "content": {"text": "Hi"},
    }
    with another(postgres, "nofy_api") as database:
        database.run(
            statement("accept"),
            {"project_id": project.principal.project_id, "live": True, "slot": 3, "key": None, "request_hash": None}
            | {"answer": None, "notifications": json.dumps([notification]), "deliveries": json.dumps([delivery])},
        )
    view = postgres.reading.notification(project.principal, planned.notification_id)
    assert view is not None
    assert (view.send_at, view.created_at, view.reference, view.tags, view.metadata) == (
        *(planned.send_at, planned.created_at, None, (), {}),
    )


# The connection


def test_migrating_again_does_nothing(postgres: PostgresBackend) -> None:
    owner = Database(postgres.owner_dsn, application="contract-migrate")
    assert migrate(owner) == []
    owner.close()


def test_a_connection_that_was_cut_is_made_again(postgres: PostgresBackend) -> None:
    with another(postgres, "nofy_pipeline") as database:
        (pid,) = database.run("SELECT pg_backend_pid()")[0]
        postgres.superuser.run("SELECT pg_terminate_backend(%(pid)s)", {"pid": pid})
        with pytest.raises(StoreUnavailableError):
            database.run("SELECT 1")
        assert database.run("SELECT 1") == [(1,)]


def test_a_store_that_is_not_there_is_unavailable() -> None:
    database = Database(as_role("postgresql://x@127.0.0.1:1/nofy", "nofy_api"), application="contract")
    with pytest.raises(StoreUnavailableError):
        database.run("SELECT 1")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO notifications (id) SELECT NULL WHERE %(text)s <> ''",
        "SELECT %(text)s::uuid",
        "SELECT %(text)s::json",
        "SELECT * FROM notifications WHERE nothing = %(text)s",
        "DO $$ BEGIN RAISE unique_violation USING MESSAGE = 'known', DETAIL = %(text)s; END $$",
    ],
)
def test_an_error_quotes_neither_the_statement_nor_a_row(postgres: PostgresBackend, statement: str) -> None:
    """It is logged, with everything that it was raised from."""
    words = "-".join(["secret", str(len(statement))])  # (a traceback quotes this file as well)
    with pytest.raises(RefusedByDatabaseError) as refused:
        postgres.superuser.run(statement, {"text": words})
    assert words not in "".join(traceback.format_exception(refused.value))
