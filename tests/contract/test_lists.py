"""The list of notifications: each filter, all of them at once, and where a page stops looking."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from nofy.adapters.postgres import reading
from nofy.domain.outcomes import Rejected, RejectionKind
from nofy.domain.retry import GiveUp
from nofy.domain.routing import Channel, Priority
from nofy.domain.tokens import Mode
from nofy.ports.reading import Listed, NotificationFilter
from tests.contract.stores import Backend, PostgresBackend
from tests.contract.stories import Told, accepted
from tests.fakes.projects import TO, Project

EVERYTHING = NotificationFilter()


def listed(store: Backend, project: Project, limit: int = 10, before: Any = None, **wanted: Any) -> Listed:
    return store.reading.notifications(project.principal, NotificationFilter(**wanted), before, limit)


def ids(found: Listed) -> list[Any]:
    return [each.notification_id for each in found.views]


def failed(store: Backend, project: Project, **plan: Any) -> Told:
    told = accepted(store, project, **plan).queue().lease()
    assert told.settle(told.report(Rejected(RejectionKind.RECIPIENT, "no such mailbox"), GiveUp("no such mailbox")))
    return told


@pytest.fixture
def project(store: Backend) -> Project:
    return store.project()


@pytest.mark.parametrize(
    ("odd", "wanted"),
    [
        ({"priority": Priority.HIGH}, {"priority": "high"}),
        ({"reference": "order-7"}, {"reference": "order-7"}),
        ({"tags": ("weekly", "digest")}, {"tag": "digest"}),
        ({"channel": Channel.EMAIL}, {"channel": "email"}),
        ({"to": TO | {"slack_channel": "C0ODD"}}, {"recipient": "C0ODD"}),
    ],
    ids=lambda each: next(iter(each)),
)
def test_a_filter_finds_what_is_like_it_and_nothing_else(
    store: Backend, project: Project, odd: dict[str, Any], wanted: dict[str, Any]
):
    accepted(store, project)
    one = accepted(store, project, **odd)
    accepted(store, project)
    found = listed(store, project, **wanted)
    assert (ids(found), found.more) == ([one.planned.notification_id], None)


@pytest.mark.parametrize("status", ["failed", "scheduled"])
def test_a_status_is_found_whether_or_not_it_has_an_index(store: Backend, project: Project, status: str):
    ended, waits = failed(store, project), accepted(store, project)
    meant = {"failed": ended, "scheduled": waits}[status]
    assert ids(listed(store, project, status=status)) == [meant.planned.notification_id]


def test_a_time_range_holds_its_beginning_and_not_its_end(store: Backend, project: Project):
    early, middle, late = (accepted(store, project, born_ago=ago).planned for ago in (300, 200, 100))
    assert early.created_at < middle.created_at < late.created_at
    since = middle.created_at.replace(microsecond=middle.created_at.microsecond // 1000 * 1000)
    assert ids(listed(store, project, since=since)) == [late.notification_id, middle.notification_id]
    assert ids(listed(store, project, until=since)) == [early.notification_id]
    assert ids(listed(store, project, since=since, until=late.created_at - timedelta(seconds=1))) == [
        middle.notification_id
    ]
    assert ids(listed(store, project, until=early.created_at - timedelta(days=365 * 90))) == []


def test_all_filters_hold_at_once_and_those_of_a_delivery_speak_of_the_same_one(store: Backend, project: Project):
    more = {"reference": "order-7", "tags": ("digest",), "priority": Priority.LOW}
    one = failed(store, project, **more)
    failed(store, project, **more | {"tags": ()})
    failed(store, project, **more | {"reference": None})
    accepted(store, project, **more)
    wanted = {"status": "failed", "recipient": TO["slack_channel"], "channel": "slack", "reference": "order-7"}
    wanted |= {"tag": "digest", "priority": "low", "since": one.planned.created_at - timedelta(seconds=1)}
    assert ids(listed(store, project, **wanted)) == [one.planned.notification_id]
    assert ids(listed(store, project, **wanted | {"recipient": TO["email"]})) == []
    assert ids(listed(store, project, **wanted | {"channel": "email"})) == []


@pytest.mark.parametrize("wanted", [{}, {"recipient": TO["slack_channel"]}, {"status": "failed"}, {"reference": "r"}])
def test_pages_follow_one_another_without_a_gap(store: Backend, project: Project, wanted: dict[str, Any]):
    made = [failed(store, project, reference="r").planned.notification_id for _ in range(5)]
    seen, before = [], None
    for _ in range(3):
        page = listed(store, project, 2, before, **wanted)
        seen += ids(page)
        before = page.more
    assert (seen, before) == (made[::-1], None)


@pytest.mark.parametrize("wanted", [{}, {"recipient": TO["slack_channel"]}, {"status": "failed"}, {"reference": "r"}])
def test_neither_another_project_nor_the_other_mode_is_listed(store: Backend, project: Project, wanted: dict[str, Any]):
    mine = failed(store, project, reference="r").planned.notification_id
    failed(store, store.project(), reference="r")
    tests = store.second_key(project, Mode.TEST)
    other = failed(store, tests, reference="r").planned.notification_id
    assert ids(listed(store, project, **wanted)) == [mine]
    assert ids(listed(store, tests, **wanted)) == [other]


@pytest.mark.parametrize("wanted", [{"tag": "rare"}, {"recipient": TO["slack_channel"], "tag": "rare"}])
def test_a_page_stops_looking_and_says_where_to_go_on(
    postgres: PostgresBackend, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any]
):
    monkeypatch.setattr(reading, "BUDGET", 3)
    project = postgres.project()
    rare = accepted(postgres, project, tags=("rare",)).planned.notification_id
    for _ in range(4):
        accepted(postgres, project)
    first = listed(postgres, project, **wanted)
    assert (ids(first), first.more is not None) == ([], True)
    second = listed(postgres, project, 10, first.more, **wanted)
    assert (ids(second), second.more) == ([rare], None)


def test_what_a_channel_shows_is_read_with_one_notification_and_not_with_a_list(store: Backend, project: Project):
    one = accepted(store, project).planned.notification_id
    shown = store.reading.notification(project.principal, one)
    assert shown is not None
    assert shown.deliveries[0].content == {"text": "Build 42 is live"}
    assert listed(store, project).views[0].deliveries[0].content in (None, shown.deliveries[0].content)


MANY = 100_000
# Made with a statement of our own: through the port it would take minutes. One in 10^4 is like what is looked for.
FILL = """
WITH made AS (
    INSERT INTO notifications
    SELECT (substr(replace(nofy_uuid_floor(now() - make_interval(secs => i))::text, '-', ''), 1, 12)
            || '7' || lpad(to_hex(i), 19, '0'))::uuid,
        %(project)s, true, 'transactional', CASE WHEN i %% 10000 = 9999 THEN 'high' ELSE 'normal' END,
        '{"email": "ada@example.com"}', '{"text": "x"}', now(), now() + interval '3 days', 'at_least_once',
        CASE WHEN i %% 10000 = 9999 THEN 'rare' ELSE 'order-' || i END,
        CASE WHEN i %% 10000 = 9999 THEN ARRAY['rare'] ELSE ARRAY['usual'] END,
        '{}', now()
    FROM generate_series(1, %(many)s) AS i
    RETURNING id, reference
)
INSERT INTO deliveries (
    id, notification_id, project_id, integration_id, channel, provider, priority, live, destination, content,
    delivery_mode, expires_at, status, due_at, created_at, changed_at
)
SELECT (left(m.id::text, 15) || 'f' || right(m.id::text, 20))::uuid, m.id, %(project)s, %(integration)s, 'email',
    'brevo', 'normal', true, CASE WHEN m.reference = 'rare' THEN 'rare@example.com' ELSE 'ada@example.com' END,
    '{"text": "x"}', 'at_least_once', now(), CASE WHEN m.reference = 'rare' THEN 'failed' ELSE 'sent' END, now(),
    now(), now()
FROM made m
"""


@pytest.fixture(scope="module")
def history(migrated: PostgresBackend) -> Project:
    migrated.clean()
    project = migrated.project()
    parameters = {"project": project.principal.project_id, "integration": project.integration(), "many": MANY}
    migrated.superuser.run(FILL, parameters)
    migrated.superuser.run("ANALYZE notifications, deliveries")
    return project


FILTERS = [
    {},
    {"reference": "rare"},
    {"recipient": "rare@example.com"},
    {"recipient": "ada@example.com"},
    {"recipient": "ada@example.com", "status": "failed"},
    {"recipient": "ada@example.com", "tag": "rare"},
    {"status": "failed"},
    {"status": "held"},
    {"status": "sent"},
    {"status": "queued"},
    {"channel": "email"},
    {"channel": "slack"},
    {"priority": "high"},
    {"priority": "low"},
    {"tag": "rare"},
    {"tag": "nowhere"},
    {"reference": "nowhere"},
]


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_no_filter_reads_more_than_a_pages_worth_of_history(
    migrated: PostgresBackend, history: Project, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    """Read off PostgreSQL's own plan: no file is read from end to end, no node meets a tenth of it all."""
    plans: list[dict[str, Any]] = []
    database = migrated.reading._database
    run = database.run

    def explained(text: str, parameters: Any) -> Any:
        scope, _, query = text.partition(";")
        ((found,),) = run(f"{scope};EXPLAIN (ANALYZE, FORMAT JSON) {query}", parameters)
        plans.append((found if isinstance(found, list) else json.loads(found))[0]["Plan"])
        return run(text, parameters)

    monkeypatch.setattr(database, "run", explained)
    page = migrated.reading.notifications(history.principal, NotificationFilter(**wanted), None, 25)
    assert len(page.views) <= 25
    nodes = [node for plan in plans for node in _nodes(plan)]
    whole = [each for each in nodes if each["Node Type"] == "Seq Scan" and each["Actual Rows"] > 0]
    assert not whole
    met = [each["Actual Rows"] + each.get("Rows Removed by Filter", 0) for each in nodes if each["Actual Loops"] == 1]
    assert max(met) <= reading.BUDGET + 1, wanted  # (a merge looks one ahead)


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for each in plan.get("Plans", []) for node in _nodes(each))]
