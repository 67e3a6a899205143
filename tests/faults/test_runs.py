"""The harness at work: a short run passes, and one without a guard does not. ``FAULTS_SEED=7`` replays a seed."""

from __future__ import annotations

import os

from faults.machine import Machine
from faults.run import Plan, Result, run

SEED = int(os.environ.get("FAULTS_SEED", "5"))
FIGURES = (
    "accepted sent failed cancelled expired live lost provider_calls unique_attempts duplicates duplicate_bound"
    " regressions kills seed cases"
).split()


# Seconds within which a run without its guard ends all the same: a lease, a sweep and a second attempt, with room.
ENDS = 60


def sabotaged(servers: Machine, name: str, *cases: str, notifications: int = 0, patience: float = ENDS) -> Result:
    return run(Plan(SEED, 0, notifications, cases, (name,), patience), servers, print)


def test_in_a_short_run_nothing_is_lost_doubled_or_backward(servers: Machine):
    cases = ("dispatcher_killed_after_produce", "consumer_killed_between_the_200_and_the_ack_at_brevo", "redis_emptied")
    result = run(Plan(SEED, 20, 400, cases), servers, print)
    assert not result.problems, "\n".join(result.problems)
    document = result.document()
    assert list(document) == FIGURES
    assert document["kills"] == 20
    assert document["lost"] == document["regressions"] == document["live"] == 0
    assert document["accepted"] >= 400
    assert document["cases"] == dict.fromkeys(cases, True)


def test_a_lease_without_its_fence_is_found_out(servers: Machine):
    result = sabotaged(servers, "sabotage_lease_without_fence", "records_twice")
    assert result.verdict.regressions
    assert result.problems


def test_an_index_that_is_not_made_again_is_found_out(servers: Machine):
    result = sabotaged(servers, "sabotage_no_reindex", "redis_emptied", patience=10)
    assert result.cases == {"redis_emptied": False}
    assert result.verdict.live


def test_swallowed_acks_are_found_out(servers: Machine):
    result = sabotaged(servers, "sabotage_swallowed_acks", notifications=60)
    assert not result.verdict.live, "not ended, so not tried again"
    assert result.verdict.duplicates > result.verdict.duplicate_bound
    assert result.problems
