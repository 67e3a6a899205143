"""What only a real PostgreSQL can show of accounts: two people at once, both roles that ask, and one trip for each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from nofy.adapters.postgres.accounts import PostgresBelongings, PostgresMemberships, PostgresPeople
from nofy.adapters.postgres.administration import PostgresAdministration
from nofy.adapters.postgres.database import RefusedByDatabaseError
from nofy.adapters.postgres.pipeline import PostgresLeases
from nofy.adapters.postgres.upkeep import PostgresUpkeep
from nofy.domain.accounts import MOST_WEIGHT, ProjectLimits
from nofy.domain.errors import ConflictError, NotFoundError
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Accepted
from nofy.domain.permissions import OF_ROLE, Role, Scope
from nofy.domain.records import QueueRecord
from nofy.domain.routing import Channel, Provider
from nofy.domain.tokens import Mode
from nofy.ports.accounts import Erased, ProjectChange
from tests.contract.stores import PostgresBackend
from tests.contract.stories import LEASE_SECONDS, accepted
from tests.contract.test_accounts import HASH, NOWHERE, actions, entry, invite, join, person, project_of, role_of
from tests.contract.test_belongings import create, sealed
from tests.contract.test_erasure import ADA, DAY, failed, gone, keeps, old, sent
from tests.contract.test_postgres import another, in_the_background, transaction


@pytest.mark.parametrize("role", ["nofy_api", "nofy_console"])
def test_both_roles_learn_who_is_a_member_in_one_trip(postgres: PostgresBackend, role: str) -> None:
    project, ada = postgres.project(), person(postgres)
    project_id = project.principal.project_id
    join(postgres, project_id, ada, Role.VIEWER)
    with another(postgres, role) as database:
        memberships = PostgresMemberships(database)
        assert memberships.of_person(ada.user_id, NOWHERE, Mode.LIVE) is None
        before = database.trips
        found = memberships.of_person(ada.user_id, project_id, Mode.LIVE)
        assert database.trips == before + 1
    assert found is not None
    assert found.permissions == OF_ROLE[Role.VIEWER]
    assert len(found.integrations) == len(project.principal.integrations)


def test_every_change_is_one_trip(postgres: PostgresBackend) -> None:
    ada, bob = person(postgres), person(postgres, "bob")
    project_id = project_of(postgres, ada)
    join(postgres, project_id, bob, Role.OWNER)
    integration = create(postgres, project_id)
    with another(postgres, "nofy_console") as database:
        people, belongings = PostgresPeople(database), PostgresBelongings(database)
        people.projects(ada.user_id)
        steps: list[Any] = [
            lambda: people.signed_in(ada),
            lambda: people.change_project(project_id, ProjectChange(name="x"), entry(postgres)),
            lambda: people.set_role(project_id, bob.user_id, Role.ADMIN, entry(postgres)),
            lambda: people.remove_member(project_id, bob.user_id, entry(postgres)),
            lambda: people.accept_invitation(HASH, bob.user_id, entry(postgres)),
            lambda: belongings.remove_integration(project_id, integration.integration_id, entry(postgres)),
            lambda: belongings.erase_recipient(project_id, [ADA], entry(postgres)),
        ]
        before = database.trips
        for step in steps:
            step()
        assert database.trips == before + len(steps)


def test_what_is_refused_leaves_no_entry_and_no_half(postgres: PostgresBackend) -> None:
    ada, project_id = person(postgres), postgres.new_id()
    made = entry(postgres)
    postgres.people.create_project(project_id, "Acme", ada.user_id, made)
    with pytest.raises(RefusedByDatabaseError):  # the same entry again: the log takes it once
        postgres.people.change_project(project_id, ProjectChange(name="Other"), made)
    kept = postgres.people.project(project_id)
    assert kept is not None
    assert kept.name == "Acme"


def test_of_two_owners_who_leave_at_once_one_stays(postgres: PostgresBackend) -> None:
    ada, bob = person(postgres), person(postgres, "bob")
    for attempt in range(10):
        project_id = project_of(postgres, ada, f"Project {attempt}")
        join(postgres, project_id, bob, Role.OWNER)
        with another(postgres, "nofy_console") as one, another(postgres, "nofy_console") as two:
            with ThreadPoolExecutor(2) as pool:
                leaving = [
                    pool.submit(PostgresPeople(one).remove_member, project_id, ada.user_id, entry(postgres)),
                    pool.submit(PostgresPeople(two).set_role, project_id, bob.user_id, Role.VIEWER, entry(postgres)),
                ]
            refused = [each.exception() for each in leaving]
        assert [type(each) for each in refused if each] == [ConflictError]
        owners = [each for each in postgres.people.members(project_id) if each.role is Role.OWNER]
        assert len(owners) == 1


def test_an_owner_who_leaves_waits_for_another_one_who_is_just_leaving(postgres: PostgresBackend) -> None:
    ada, bob = person(postgres), person(postgres, "bob")
    project_id = project_of(postgres, ada)
    join(postgres, project_id, bob, Role.OWNER)
    leaving = "DELETE FROM memberships WHERE user_id = %s"
    with another(postgres, "nofy_console") as other:
        with transaction(postgres.superuser_dsn, leaving, str(ada.user_id)):
            second = in_the_background(
                lambda: PostgresPeople(other).remove_member(project_id, bob.user_id, entry(postgres))
            )
            assert not second.done()
        with pytest.raises(ConflictError):
            second.result(5)
    assert role_of(postgres, project_id, bob) is Role.OWNER


def test_of_two_who_accept_an_invitation_at_once_one_joins(postgres: PostgresBackend) -> None:
    ada, bob, eve = (person(postgres, each) for each in ("ada", "bob", "eve"))
    project_id = project_of(postgres, ada)
    invitation = invite(postgres, project_id, Role.ADMIN)
    accepting = "UPDATE invitations SET accepted_at = now(), accepted_by = %s WHERE id = %s"
    with another(postgres, "nofy_console") as other:
        with transaction(postgres.superuser_dsn, accepting, str(bob.user_id), str(invitation.invitation_id)):
            second = in_the_background(
                lambda: PostgresPeople(other).accept_invitation(HASH, eve.user_id, entry(postgres))
            )
            assert not second.done()
        assert second.result(5) is None
    assert role_of(postgres, project_id, eve) is None


def test_two_who_make_a_default_integration_at_once_leave_one(postgres: PostgresBackend) -> None:
    project_id = project_of(postgres, person(postgres))
    with another(postgres, "nofy_console") as one, another(postgres, "nofy_console") as two:
        with ThreadPoolExecutor(2) as pool:
            making = [
                pool.submit(
                    PostgresBelongings(each).create_integration,
                    project_id,
                    sealed(postgres),
                    entry(postgres),
                    default=True,
                )
                for each in (one, two)
                for _ in range(5)
            ]
        assert all(each.result().is_default for each in making)
    assert sum(each.is_default for each in postgres.belongings.integrations(project_id)) == 1


# Erasure


def test_an_erasure_waits_for_a_lease_and_then_leaves_it_alone(postgres: PostgresBackend) -> None:
    told = accepted(postgres, channel=Channel.EMAIL)
    sending = "UPDATE deliveries SET status = 'sending' WHERE id = %s"
    project_id = told.project.principal.project_id
    with another(postgres, "nofy_console") as console:
        with transaction(postgres.superuser_dsn, sending, str(told.id)):
            erasing = in_the_background(
                lambda: PostgresBelongings(console).erase_recipient(project_id, [ADA], entry(postgres))
            )
            assert not erasing.done()
        assert erasing.result(5) == Erased(notifications=0, deliveries=0, cancelled=0, in_flight=1)
    assert (told.status, told.view.destination) == (Status.SENDING, ADA)


def test_a_lease_waits_for_an_erasure_and_then_does_not_hold(postgres: PostgresBackend) -> None:
    told = accepted(postgres, channel=Channel.EMAIL)
    record = QueueRecord(told.fence, postgres.now())
    erasing = "SELECT nofy_erase(ARRAY[%s]::uuid[], false)"
    with another(postgres, "nofy_pipeline") as pipeline:
        with transaction(postgres.superuser_dsn, erasing, str(told.planned.notification_id)):
            lease = in_the_background(lambda: PostgresLeases(pipeline).lease([record], LEASE_SECONDS))
            assert not lease.done()
        assert lease.result(5) == []
    assert gone(told)


def test_retention_leaves_alone_what_somebody_just_redrives(postgres: PostgresBackend) -> None:
    told = failed(old(postgres))
    keeps(postgres, told, 1)
    postgres.let_pass(1.1 * DAY)
    redriving = "UPDATE deliveries SET status = 'retrying', attempt_no = 2 WHERE id = %s"
    with another(postgres, "nofy_pipeline") as pipeline:
        with transaction(postgres.superuser_dsn, redriving, str(told.id)):
            erasing = in_the_background(lambda: PostgresUpkeep(pipeline).erase_content(10))
            assert not erasing.done()
        assert erasing.result(5) == 0
    assert (told.status, gone(told)) == (Status.RETRYING, False)
    told.lease()
    assert told.settle(told.report(Accepted("message-1"), attempt_no=2))
    assert postgres.upkeep.erase_content(10) == 0
    postgres.let_pass(1.1 * DAY)
    assert postgres.upkeep.erase_content(10) == 1
    assert gone(told)


def test_retention_looks_at_what_has_ended_once(postgres: PostgresBackend) -> None:
    project = postgres.project()
    told = [sent(old(postgres, project, days=days)) for days in (4, 3)]
    waiting = old(postgres, project, days=2)
    keeps(postgres, waiting, 1)
    postgres.let_pass(1.1 * DAY)
    assert postgres.upkeep.erase_content(10) == 2
    pointer = "SELECT erased_until FROM projects WHERE id = %(id)s"
    passed = postgres.superuser.run(pointer, {"id": project.principal.project_id})
    assert passed == [(waiting.planned.notification_id,)]
    assert postgres.superuser.run("SELECT notification_id FROM retained") == passed
    assert all(gone(each) for each in told)


def test_what_was_retained_and_went_with_its_week_is_forgotten(postgres: PostgresBackend) -> None:
    project, old_one = postgres.project(), postgres.now() - timedelta(days=9)
    row = {"id": postgres.new_id.born_at(old_one), "project": project.principal.project_id, "since": old_one}
    query = "INSERT INTO retained (notification_id, project_id, since) VALUES (%(id)s, %(project)s, %(since)s)"
    postgres.superuser.run(query, row)
    postgres.people.change_project(row["project"], ProjectChange(retention_days=1), entry(postgres))
    assert postgres.upkeep.erase_content(10) == 0
    assert postgres.superuser.run("SELECT count(*) FROM retained") == [(0,)]


def test_answers_to_requests_of_yesterday_are_forgotten(postgres: PostgresBackend) -> None:
    project = postgres.project()
    query = (
        "INSERT INTO idempotency_keys (project_id, live, key, request_hash, answer, created_at) SELECT %(id)s, true,"
        " age::text, '', '{}', now() - make_interval(hours => age) FROM unnest(ARRAY[1, 23, 25, 49]) AS age"
    )
    postgres.superuser.run(query, {"id": project.principal.project_id})
    left = "SELECT key FROM idempotency_keys ORDER BY key"
    postgres.upkeep.erase_content(1)
    assert len(postgres.superuser.run(left)) == 3
    postgres.upkeep.erase_content(10)
    assert postgres.superuser.run(left) == [("1",), ("23",)]


def test_the_index_by_recipient_is_on_every_week(postgres: PostgresBackend) -> None:
    postgres.upkeep.ensure_partitions(28)
    query = (
        "SELECT count(*), count(*) FILTER (WHERE i.indexdef IS NOT NULL) FROM pg_inherits h"
        " JOIN pg_class c ON c.oid = h.inhrelid LEFT JOIN pg_indexes i"
        " ON i.tablename = c.relname AND i.indexdef LIKE '%(project_id, destination, %'"
        " WHERE h.inhparent = 'deliveries'::regclass"
    )
    weeks, indexed = postgres.superuser.run(query)[0]
    assert weeks == indexed > 0


# The operator


def test_an_operator_makes_the_first_owner_and_sets_limits(postgres: PostgresBackend) -> None:
    project, ada = postgres.project(), person(postgres)
    project_id = project.principal.project_id
    with another(postgres, "nofy_operator") as database:
        operator = PostgresAdministration(database)
        operator.join(project_id, ada.user_id, Role.VIEWER, entry(postgres, "joined"))
        operator.join(project_id, ada.user_id, Role.OWNER, entry(postgres, "joined again"))
        wanted = {"requests_per_second": 2.5, "burst": None, "notifications_per_day": 1_000}
        operator.set_limits(project_id, entry(postgres, "limited"), **wanted)
        weights = [_weight(postgres, project_id)]
        for weight in (MOST_WEIGHT, None):
            operator.set_limits(project_id, entry(postgres, "weighed"), **wanted, weight=weight)
            weights.append(_weight(postgres, project_id))
    assert role_of(postgres, project_id, ada) is Role.OWNER
    limits = ProjectLimits(2.5, ProjectLimits().burst, 1_000)
    for found in (
        postgres.memberships.of_person(ada.user_id, project_id, Mode.LIVE),
        postgres.acceptances.principal(project.token_hash),
    ):
        assert found is not None
        assert found.limits == limits
    assert weights == [1, MOST_WEIGHT, 1]
    assert actions(postgres, project_id) == ["joined", "joined again", "limited", "weighed", "weighed"]


def _weight(postgres: PostgresBackend, project_id: UUID) -> int:
    found = postgres.superuser.run("SELECT weight FROM projects WHERE id = %(id)s", {"id": project_id})
    return int(found[0][0])


def test_an_operator_is_told_what_is_not_there_and_nothing_is_noted(postgres: PostgresBackend) -> None:
    project_id = postgres.project().principal.project_id
    with another(postgres, "nofy_operator") as database:
        operator = PostgresAdministration(database)
        with pytest.raises(NotFoundError):
            operator.join(project_id, NOWHERE, Role.OWNER, entry(postgres))
        with pytest.raises(NotFoundError):
            operator.set_limits(NOWHERE, entry(postgres), requests_per_second=None, burst=1, notifications_per_day=None)
    assert postgres.superuser.run("SELECT count(*) FROM audit_log") == [(0,)]


def test_an_operators_token_and_integration_say_what_they_are(postgres: PostgresBackend) -> None:
    project, key_id = postgres.project(), postgres.new_id()
    project_id = project.principal.project_id
    with another(postgres, "nofy_operator") as database:
        operator = PostgresAdministration(database)
        made = entry(postgres, "token.created")
        operator.create_key(key_id, project_id, Mode.TEST, HASH, "nofy_…", "server", (Scope.SEND,), made)
        integration_id = operator.default_integration(project_id, Channel.EMAIL)
        assert integration_id == project.integration(Channel.EMAIL)
        set_again = (integration_id, project_id, Channel.EMAIL, Provider.BREVO, {}, b"anew")
        assert operator.set_integration(*set_again, "Main", "…anew", entry(postgres, "integration.set")) == 2
        assert operator.set_integration(*set_again) == 3
    shown = postgres.belongings.integration(project_id, integration_id)
    assert shown is not None
    assert (shown.name, shown.hint, shown.credential_version) == ("Main", "", 3)
    token = postgres.belongings.tokens(project_id)[0]
    assert (token.token_id, token.name, token.scopes) == (key_id, "server", (Scope.SEND,))
    assert actions(postgres, project_id) == ["token.created", "integration.set"]


def test_an_operator_finds_no_integration_that_was_removed(postgres: PostgresBackend) -> None:
    project = postgres.project()
    project_id = project.principal.project_id
    assert postgres.belongings.remove_integration(project_id, project.integration(), entry(postgres))
    with another(postgres, "nofy_operator") as database:
        operator = PostgresAdministration(database)
        assert operator.default_integration(project_id, Channel.SLACK) is None
        new = (postgres.new_id(), project_id, Channel.SLACK, Provider.SLACK, {"kind": "bot"}, b"sealed")
        assert operator.set_integration(*new) == 1
    (shown,) = [each for each in postgres.belongings.integrations(project_id) if each.channel is Channel.SLACK]
    assert shown.is_default
