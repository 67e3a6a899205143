"""What the harness would say about one delivery: pure, without a server."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest

from faults.client import Promise
from faults.provider import Call
from faults.verdict import Evidence, Move, Row, judge
from nofy.domain.lifecycle import Status
from nofy.domain.routing import Channel

DELIVERY, PROJECT, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
SLACK = Promise(DELIVERY, "ntf_1", PROJECT, Channel.SLACK)
EMAIL = replace(SLACK, channel=Channel.EMAIL)
TAKEN = Call(100.0, "slack", str(DELIVERY), 1, f"{PROJECT}:slack:good", "accepted")
AGAIN = replace(TAKEN, at=101.0, attempt_no=2)
LATE = replace(TAKEN, at=101.5, attempt_no=3)
DUE = {(DELIVERY, 1): 99.0, (DELIVERY, 2): 100.5, (DELIVERY, 3): 101.2}
HELD_ONCE = Counter({DELIVERY: 1})
SENT = Evidence([SLACK], {DELIVERY: Row(Status.SENT, PROJECT, 102.0)}, [], [TAKEN], DUE, frozenset(), Counter())


def with_status(status: Status) -> Evidence:
    return replace(SENT, rows={DELIVERY: Row(status, PROJECT, 100.5)})


def test_what_was_sent_once_is_in_order():
    verdict = judge(SENT)
    assert verdict.violations == ()
    assert (verdict.accepted, verdict.sent, verdict.lost, verdict.duplicates) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(SENT, rows={}), "1 lost"),
        (replace(SENT, calls=[]), "1 lost"),  # PostgreSQL says sent, and the provider never heard of it
        (replace(SENT, calls=[replace(TAKEN, result="503")]), "1 lost"),
        (replace(SENT, lost_by_metric=2), "2 lost"),
        (with_status(Status.SENDING), "1 still live"),
        (replace(SENT, calls=[TAKEN, AGAIN]), "1 sent twice, where 0 may have been"),
        (replace(SENT, calls=[TAKEN, AGAIN, LATE], held=HELD_ONCE), "taken 3 times, where 2 could not be avoided"),
        (replace(SENT, calls=[TAKEN, AGAIN], held=Counter({UUID(int=9): 9})), "1 sent twice, where 0 may have been"),
        (replace(SENT, calls=[TAKEN, TAKEN]), "2 calls for 1 attempts"),
        (
            replace(SENT, promises=[EMAIL], calls=[TAKEN, AGAIN], held=Counter({DELIVERY: 9})),
            "in spite of its idempotency key",
        ),
        (replace(with_status(Status.CANCELLED), calls=[AGAIN]), "was sent after it was cancelled"),
        (replace(with_status(Status.EXPIRED), calls=[AGAIN]), "was sent after it was expired"),
        (replace(SENT, calls=[replace(TAKEN, credential=f"{OTHER}:slack:good")]), "another project's credential"),
        (replace(SENT, calls=[replace(TAKEN, attempt_no=7)]), "as attempt 7, which is nowhere"),
        (replace(SENT, calls=[replace(TAKEN, at=98.0)]), "was sent 1.000 s early"),
        (replace(SENT, rows={DELIVERY: Row(Status.SENT, OTHER, 102.0)}), "is another project's"),
        (replace(SENT, moves=[Move(DELIVERY, Status.SENT, Status.SENDING, 1, 1)]), "1 changes backwards"),
        (replace(SENT, moves=[Move(DELIVERY, Status.RETRYING, Status.QUEUED, 2, 1)]), "1 changes backwards"),
    ],
)
def test_what_must_not_be_is_told(seen: Evidence, said: str):
    assert any(said in each for each in judge(seen).violations), judge(seen).violations


def test_a_killed_consumer_may_repeat_what_it_held_and_no_more():
    assert judge(replace(SENT, calls=[TAKEN, AGAIN], held=HELD_ONCE)).violations == ()
    assert judge(replace(SENT, held=Counter({DELIVERY: 2, OTHER: 5}))).duplicate_bound == 2


def test_what_one_delivery_was_held_for_excuses_no_second_send_of_another():
    neighbour = replace(SLACK, delivery_id=OTHER)
    theirs = [replace(each, delivery_id=str(OTHER)) for each in (TAKEN, AGAIN)]
    seen = replace(
        SENT,
        promises=[SLACK, neighbour],
        rows={**SENT.rows, OTHER: SENT.rows[DELIVERY]},
        calls=[TAKEN, *theirs],
        due={**DUE, (OTHER, 1): 99.0, (OTHER, 2): 100.5},
        held=HELD_ONCE,
    )
    verdict = judge(seen)
    assert verdict.duplicates == verdict.duplicate_bound == 1
    assert verdict.violations == (f"{OTHER} was taken 2 times, where 1 could not be avoided",)


def test_what_brevo_was_asked_for_by_a_killed_consumer_widens_no_bound():
    assert judge(replace(SENT, promises=[EMAIL], held=HELD_ONCE)).duplicate_bound == 0


def test_an_answer_that_was_lost_on_its_way_may_cost_a_second_send():
    lost = replace(TAKEN, result="lost")
    assert judge(replace(SENT, calls=[lost, AGAIN], unanswered=frozenset({(DELIVERY, 1)}))).violations == ()
    assert judge(replace(SENT, calls=[lost, AGAIN])).violations


def test_clocks_may_be_apart_by_what_was_allowed():
    assert judge(replace(SENT, calls=[replace(TAKEN, at=95.0)], skew=5.0)).violations == ()


def test_forward_is_what_the_transition_table_says():
    moves = [
        Move(DELIVERY, Status.SCHEDULED, Status.QUEUED, 1, 1),
        Move(DELIVERY, Status.QUEUED, Status.SENDING, 1, 1),
        Move(DELIVERY, Status.SENDING, Status.RETRYING, 1, 2),
        Move(DELIVERY, Status.RETRYING, Status.SENT, 2, 2),
    ]
    assert judge(replace(SENT, moves=moves)).regressions == 0
