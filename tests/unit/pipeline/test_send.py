"""Send: the provider's calls, many at once, none that cannot finish, an answer for each."""

from __future__ import annotations

from asyncio import sleep
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from nofy.domain.outcomes import Accepted, NotTried, Outcome, Rejected, RejectionKind, Transient, Unknown
from nofy.domain.sending import Message, SealedCredential
from nofy.domain.timing import PROVIDER_CONNECT_TIMEOUT, PROVIDER_TIMEOUT, SENDER_MARGIN
from nofy.pipeline.send import IN_FLIGHT, ChannelSender
from tests.fakes import NOON, ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = PROVIDER_CONNECT_TIMEOUT + PROVIDER_TIMEOUT + SENDER_MARGIN


def message(number: int = 1, *, live: bool = True) -> Message:
    sealed = SealedCredential(UUID(int=9), UUID(int=8), 1, b"sealed")
    return Message(UUID(int=number), UUID(int=7), f"C{number}", {"text": "hi"}, {}, sealed, UUID(int=6), live)


class Provider:
    """Answers with the message's destination, and writes down who asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    async def call(self, message: Message, credential: str) -> Outcome:
        self.calls.append((message.destination, credential))
        return Accepted(message.destination)


class Vault:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def open(self, sealed: SealedCredential) -> str:
        if self.error:
            raise self.error
        return f"opened-{sealed.ciphertext.decode()}"


class Sender:
    """A sender of one invoke."""

    def __init__(self, provider: Provider, vault: Vault | None, clock: ManualClock | None) -> None:
        self._sender = ChannelSender(provider, vault or Vault(), clock or ManualClock())

    def send(self, messages: Sequence[Message], deadline: datetime) -> list[Outcome]:
        with closing(self._sender):
            return self._sender.send(messages, deadline)


def sender(provider: Provider, vault: Vault | None = None, clock: ManualClock | None = None) -> Sender:
    return Sender(provider, vault, clock)


def test_every_message_has_its_outcome_in_order() -> None:
    provider = Provider()
    outcomes = sender(provider).send([message(n) for n in range(100)], NOON + timedelta(seconds=60))
    assert outcomes == [Accepted(f"C{n}") for n in range(100)]
    assert {credential for _, credential in provider.calls} == {"opened-sealed"}


def test_nothing_to_send() -> None:
    assert sender(Provider()).send([], NOON) == []


def test_calls_are_made_at_once_and_no_more_than_the_pool_holds() -> None:
    class Waiting(Provider):
        waiting = most = 0

        async def call(self, message: Message, credential: str) -> Outcome:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            for _ in range(10):  # everybody else has his turn
                await sleep(0)
            self.waiting -= 1
            return await super().call(message, credential)

    provider = Waiting()
    outcomes = sender(provider).send([message(n) for n in range(3 * IN_FLIGHT)], NOON + timedelta(seconds=60))
    assert len(outcomes) == 3 * IN_FLIGHT
    assert provider.most == IN_FLIGHT


def test_a_sender_serves_one_invoke_after_another() -> None:
    with closing(ChannelSender(Provider(), Vault(), ManualClock())) as kept:
        for _ in range(3):
            assert kept.send([message()], NOON + timedelta(seconds=60)) == [Accepted("C1")]


def test_a_call_that_can_just_finish_is_made() -> None:
    assert sender(Provider()).send([message()], NOON + timedelta(seconds=LONGEST)) == [Accepted("C1")]


def test_no_call_is_begun_that_cannot_finish() -> None:
    provider = Provider()
    (outcome,) = sender(provider).send([message()], NOON + timedelta(seconds=LONGEST - 0.001))
    assert isinstance(outcome, NotTried)
    assert provider.calls == []


def test_the_time_is_looked_at_before_each_call() -> None:
    clock = ManualClock()

    class Slow(Provider):
        async def call(self, message: Message, credential: str) -> Outcome:
            clock.advance(30)
            return Transient("503")

    outcomes = sender(Slow(), clock=clock).send(
        [message(n) for n in range(IN_FLIGHT * 3)], NOON + timedelta(seconds=60)
    )
    assert isinstance(outcomes[0], Transient)
    assert isinstance(outcomes[-1], NotTried)


def test_a_credential_that_stays_shut_means_that_nobody_was_asked() -> None:
    provider = Provider()
    (outcome,) = sender(provider, Vault(PermissionError("AccessDenied: arn:aws:kms:..."))).send(
        [message()], NOON + timedelta(seconds=60)
    )
    assert isinstance(outcome, NotTried)
    assert "arn" not in outcome.reason
    assert provider.calls == []


def test_a_test_tokens_message_stops_before_the_provider_and_opens_its_credential_all_the_same() -> None:
    provider = Provider()
    outcomes = sender(provider).send([message(live=False)], NOON + timedelta(seconds=60))
    assert outcomes == [Accepted(f"test_{UUID(int=1).hex}")]
    assert provider.calls == []
    (shut,) = sender(provider, Vault(ValueError())).send([message(live=False)], NOON + timedelta(seconds=60))
    assert isinstance(shut, NotTried)


def test_a_test_tokens_message_to_a_magic_destination_goes_as_its_name_says_at_each_attempt() -> None:
    provider = Provider()
    flaky = replace(message(live=False), destination="flaky@simulated.example")
    outcomes = sender(provider).send([replace(flaky, attempt=n) for n in (1, 2, 3)], NOON + timedelta(seconds=60))
    assert [type(each) for each in outcomes] == [Transient, Transient, Accepted]
    assert provider.calls == []


def test_to_a_live_message_no_destination_is_magic() -> None:
    provider = Provider()
    throttled = replace(message(), destination="throttled@simulated.example")
    assert sender(provider).send([throttled], NOON + timedelta(seconds=60)) == [Accepted(throttled.destination)]


def test_a_credential_that_would_begin_another_header_reaches_nobody() -> None:
    provider = Provider()

    class Broken(Vault):
        async def open(self, sealed: SealedCredential) -> str:
            return "xoxb-1\r\nx-other: header"

    (outcome,) = sender(provider, Broken()).send([message()], NOON + timedelta(seconds=60))
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectionKind.CONFIG
    assert provider.calls == []


def test_what_may_have_been_taken_is_not_asked_for_again_once_its_key_is_over() -> None:
    provider = Provider()
    over, alive = (replace(message(), ask_until=NOON + timedelta(seconds=each)) for each in (-1, 1))
    outcomes = sender(provider).send([over, alive], NOON + timedelta(seconds=60))
    assert [type(each) for each in outcomes] == [Unknown, Accepted]
    assert len(provider.calls) == 1
