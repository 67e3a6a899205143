"""Each caller outlives what it calls: provider < sender < invoke read < consumer < lease."""

from __future__ import annotations

from math import ceil

from nofy.adapters.aws import invoke, vault_invoke
from nofy.adapters.kafka import producer
from nofy.adapters.postgres import database
from nofy.domain import timing
from nofy.domain.retry import RETRY_AFTER_CEILING
from nofy.pipeline.group import GROUP_SIZE
from nofy.pipeline.reconcile import RECENT
from nofy.pipeline.send import IN_FLIGHT

LONGEST_CALL = timing.PROVIDER_CONNECT_TIMEOUT + timing.PROVIDER_TIMEOUT


def test_every_caller_outlives_what_it_calls():
    chain = [
        LONGEST_CALL,
        timing.SENDER_TIMEOUT,
        timing.INVOKE_READ_TIMEOUT,
        timing.CONSUMER_TIMEOUT,
        timing.ATTEMPT_LEASE,
    ]
    assert chain == sorted(set(chain))


def test_a_full_group_fits_into_one_sender_even_if_every_call_times_out():
    rounds = ceil(GROUP_SIZE / IN_FLIGHT)
    assert rounds * LONGEST_CALL + timing.SENDER_MARGIN <= timing.SENDER_TIMEOUT


def test_a_call_that_is_begun_at_the_last_moment_ends_before_the_sender_does():
    last_start = timing.SENDER_TIMEOUT - LONGEST_CALL - timing.SENDER_MARGIN
    assert last_start > 0
    assert last_start + LONGEST_CALL < timing.SENDER_TIMEOUT


def test_a_credential_that_cannot_be_opened_leaves_the_sender_time_to_say_so():
    assert 2 * timing.VAULT_TIMEOUT < timing.SENDER_TIMEOUT - LONGEST_CALL - timing.SENDER_MARGIN


def test_a_group_that_is_begun_at_the_last_moment_is_reported_on_before_the_consumer_ends():
    # After the invoke come Kafka, and PostgreSQL where Kafka does not answer.
    assert invoke.CONNECT_TIMEOUT + producer.DELIVERY_TIMEOUT_MS / 1_000 < timing.CONSUMER_MARGIN
    assert timing.CONSUMER_TIMEOUT - timing.CONSUMER_MARGIN > timing.INVOKE_READ_TIMEOUT


def test_the_console_hears_the_vault_and_answers_before_api_gateway_gives_up():
    assert LONGEST_CALL + 2 * timing.VAULT_TIMEOUT < timing.VAULT_FUNCTION_TIMEOUT < timing.VAULT_READ_TIMEOUT
    assert vault_invoke.CONNECT_TIMEOUT + timing.VAULT_READ_TIMEOUT < 29


def test_several_groups_follow_one_another_within_one_consumer():
    assert timing.CONSUMER_TIMEOUT - timing.CONSUMER_MARGIN >= 2 * timing.INVOKE_READ_TIMEOUT


def test_the_lease_outlives_a_consumer_and_the_sender_it_left_behind():
    assert timing.ATTEMPT_LEASE > timing.CONSUMER_TIMEOUT + timing.SENDER_TIMEOUT


def test_a_dispatcher_ends_by_itself_before_lambda_ends_it():
    assert timing.DISPATCHER_RUN + timing.CLAIM_LEASE < timing.DISPATCHER_TIMEOUT


def test_a_claim_outlives_the_statements_and_the_produce_of_its_turn():
    assert timing.CLAIM_LEASE > database.STATEMENT_TIMEOUT_MS / 1_000 + producer.DELIVERY_TIMEOUT_MS / 1_000


def test_a_producer_answers_before_api_gateway_gives_up():
    assert database.CONNECT_TIMEOUT + database.STATEMENT_TIMEOUT_MS / 1_000 < 29


def test_no_item_falls_between_two_sweeps():
    assert timing.ACCEPT_WINDOW >= timing.INDEX_WINDOW + 120
    assert RECENT.total_seconds() >= timing.ACCEPT_WINDOW - timing.INDEX_WINDOW


def test_work_is_not_called_lost_while_its_record_may_still_be_worked_on():
    assert timing.QUEUED_TOO_LONG > timing.OVERDUE >= 60


def test_work_in_hand_is_not_called_lost_before_everything_that_heals_it_had_its_time():
    assert timing.IN_HAND_TOO_LONG >= timing.ATTEMPT_LEASE + timing.SWEEP
    assert timing.IN_HAND_TOO_LONG >= timing.QUEUED_TOO_LONG + timing.SWEEP


def test_rows_outlive_every_record_that_may_speak_of_them():
    assert timing.ROW_RETENTION > 2 * timing.TOPIC_RETENTION


def test_patience_with_a_provider_has_an_end():
    assert RETRY_AFTER_CEILING <= 3600
