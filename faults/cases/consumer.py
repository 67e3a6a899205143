"""The consumer dies around the call that nobody can take back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.cases.steps import dies_at, misbehaving
from faults.fleet import CONSUMERS
from faults.tricks import Death
from nofy.domain.routing import Channel

if TYPE_CHECKING:
    from faults.bench import Bench


def consumer_killed_before_the_sender(bench: Bench) -> None:
    dies_at(bench, "consumer-slack", Death("HttpSender.send"), Channel.SLACK)


def consumer_killed_in_the_middle_of_a_batch(bench: Bench) -> None:
    dies_at(bench, "consumer-slack", Death("AttemptTold.call", before=False, nth=5), Channel.SLACK)


def consumer_killed_between_the_200_and_the_ack(bench: Bench) -> None:
    """The window that nobody can close, where the provider has no idempotency."""
    dies_at(bench, "consumer-slack", Death("KafkaBus.publish"), Channel.SLACK)


def consumer_killed_between_the_200_and_the_ack_at_brevo(bench: Bench) -> None:
    """It can be closed where it has: not one message twice (that is looked at after every case)."""
    dies_at(bench, "consumer-email", Death("KafkaBus.publish"), Channel.EMAIL)


def consumer_whose_time_is_over(bench: Bench) -> None:
    misbehaving(bench, CONSUMERS, "fault_time_is_over")
