"""Providers as the protocol meets them: one that forgets at once, one with idempotency keys, and a sender's process.

The sender is the real one (``pipeline/send.py``), a process of its own: it lives on when the consumer that invoked it
has died, and each provider's call is a step of its own.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nofy.adapters.providers import brevo
from nofy.adapters.providers.http import Answer
from nofy.domain.delivery import Leased
from nofy.domain.errors import InvokeUncertainError
from nofy.domain.outcomes import Accepted, Outcome, Rejected, RejectionKind, Throttled, Transient, Unknown
from nofy.domain.routing import IDEMPOTENT
from nofy.domain.sending import Message, message_of
from nofy.domain.timing import SENDER_TIMEOUT
from nofy.pipeline.send import ChannelSender
from tests.fakes.faults import Faulty
from tests.unit.pipeline.protocol.actors import Actor, current

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from nofy.domain.routing import Provider
    from nofy.domain.sending import SealedCredential
    from tests.fakes.clock import ManualClock
    from tests.fakes.faults import Faults

# Brevo's documentation: a key is remembered for half an hour.
KEY_REMEMBERED = timedelta(minutes=30)
DUPLICATE = Answer(400, {}, b'{"code": "duplicate_parameter", "message": "idempotency key"}')
TAKES, TAKES_IN_SILENCE, SILENT = "takes it", "takes it and says nothing", "takes nothing and says nothing"
ANSWERS: dict[str, Outcome] = {
    "is busy": Transient("503"),
    "throttles": Throttled("429", 2.0),
    "refuses the recipient": Rejected(RejectionKind.RECIPIENT, "gone"),
}
WORDS = [TAKES_IN_SILENCE, SILENT, *ANSWERS, TAKES]


@dataclass
class Line:
    """One invoke: who called whom. ``lost``: the answers did not reach the consumer, or did not get further."""

    consumer: Actor | None
    sender: Actor | None = None
    lost: bool = False

    @property
    def deaf(self) -> bool:
        return self.lost or any(each.deaf for each in (self.consumer, self.sender) if each)


@dataclass
class Call:
    """What a provider saw."""

    leased: Leased
    line: Line
    taken: bool = False
    silent: bool = False

    @property
    def heard(self) -> bool:
        """Nothing kept its answer from the acks."""
        return not self.silent and not self.line.deaf


class Providers:
    """Everything outside: it answers from ``script`` while that lasts, and takes the message otherwise."""

    def __init__(self, clock: ManualClock, look: Callable[[Leased, Message], None]) -> None:
        self._clock = clock
        self._look = look
        self._keys: dict[UUID, datetime] = {}
        self.script: list[str] = []
        self.bad_credential = False
        self.refused_versions: set[int | None] = {None}
        self.calls: list[Call] = []

    def answer(self, call: Call, message: Message) -> Outcome:
        self._look(call.leased, message)
        self.calls.append(call)
        if self.bad_credential:
            self.refused_versions.add(call.leased.credential_version)
            return Rejected(RejectionKind.CONFIG, "revoked")
        word = self.script.pop(0) if self.script else TAKES
        if word in ANSWERS:
            return ANSWERS[word]
        return self._take(call, message, word)

    def _take(self, call: Call, message: Message, word: str) -> Outcome:
        known = call.leased.provider in IDEMPOTENT and self._remembers(message.idempotency_key)
        call.taken = word != SILENT and not known
        if call.taken:
            self._keys[message.idempotency_key] = self._clock()
        if word != TAKES:
            call.silent = True
            return Unknown("silence")
        return brevo.read(DUPLICATE, in_doubt=message.ask_until is not None) if known else Accepted("message")

    def _remembers(self, key: UUID) -> bool:
        return key in self._keys and self._clock() < self._keys[key] + KEY_REMEMBERED


@dataclass
class _Provider:
    """The provider's end of one invoke's calls."""

    providers: Providers
    line: Line
    batch: dict[UUID, Leased]

    def call(self, message: Message) -> Outcome:
        return self.providers.answer(Call(self.batch[message.delivery_id], self.line), message)


@dataclass
class _Client:
    """Implements :class:`nofy.ports.provider.ProviderClient`. A call is one step: it waits in its actor's own way."""

    provider: _Provider

    async def call(self, message: Message, _: str) -> Outcome:
        return self.provider.call(message)


class _Vault:
    async def open(self, _: SealedCredential) -> str:
        return "token"


class Invokes:
    """Implements :class:`nofy.ports.sender.Sender`: each invoke is a process, and whoever invokes waits for it."""

    def __init__(
        self, providers: Providers, clock: ManualClock, faults: Faults, begin: Callable[[Actor], None]
    ) -> None:
        self._providers = providers
        self._clock = clock
        self._faults = faults
        self._begin = begin
        self.lines: list[Line] = []

    def send(self, _: Provider, batch: Sequence[Leased], deadline: datetime) -> list[Outcome]:
        consumer = current()
        line = Line(consumer)
        self.lines.append(line)
        known = {each.fence.delivery_id: each for each in batch}
        client = _Client(Faulty(_Provider(self._providers, line, known), self._faults))
        outcomes: list[Outcome] = []

        def work() -> None:
            with closing(ChannelSender(client, _Vault(), self._clock)) as sender:
                outcomes.extend(sender.send([message_of(each) for each in batch], deadline))

        if consumer is None:
            work()
        else:
            self._wait(consumer, line, work)
        return outcomes

    def _wait(self, consumer: Actor, line: Line, work: Callable[[], None]) -> None:
        line.sender = consumer.waits_for = Actor("send", work, self._clock(), SENDER_TIMEOUT)
        self._begin(line.sender)
        fault = consumer.wait("answer") if not line.sender.ended else None
        consumer.waits_for = None
        if fault:
            line.lost = True
            raise fault.error
        if line.sender.error:
            raise InvokeUncertainError("the sender died")

    def weigh(self, _: Leased) -> int:
        return 1_000
