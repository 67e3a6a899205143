"""Send: the provider's calls, many at once, none that cannot finish, an answer for each."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from traceback import format_tb
from typing import TYPE_CHECKING

from nofy.domain import simulation
from nofy.domain.integrations import is_printable
from nofy.domain.outcomes import NotTried, Outcome, Rejected, RejectionKind, Unknown
from nofy.domain.timing import PROVIDER_CONNECT_TIMEOUT, PROVIDER_TIMEOUT, SENDER_MARGIN

if TYPE_CHECKING:
    from asyncio import Runner
    from collections.abc import Sequence

    from nofy.domain.sending import Message
    from nofy.ports.clock import Clock
    from nofy.ports.provider import ProviderClient, Vault

log = logging.getLogger(__name__)

# Calls in flight per invoke: at 50 ms a call this is 640 messages a second from one sender, and the sender's
# waiting time is the largest lever on its cost.
IN_FLIGHT = 32

_LONGEST_CALL = timedelta(seconds=PROVIDER_CONNECT_TIMEOUT + PROVIDER_TIMEOUT)


class ChannelSender:
    """One provider's client and the vault that opens its credentials. Serves one invoke at a time, as Lambda has it.

    Calls wait in one event loop, which is kept from invoke to invoke as the connections in it are. A thread for each
    call in flight takes three to four times the processor's time, most of it for handing the interpreter from one to
    the next (docs/adr/0012); with 512 MB a sender has not a third of a processor.
    """

    def __init__(self, client: ProviderClient, vault: Vault, clock: Clock) -> None:
        self._client = client
        self._vault = vault
        self._clock = clock
        self._runner: Runner | None = None  # from the first invoke on: not everybody who imports this sends

    def send(self, messages: Sequence[Message], deadline: datetime) -> list[Outcome]:
        """One outcome for each message, in order; what would outlive the deadline is not begun."""
        from asyncio import Runner

        self._runner = self._runner or Runner()
        last_start = deadline - _LONGEST_CALL - timedelta(seconds=SENDER_MARGIN)
        return self._runner.run(self._send(messages, last_start))

    def close(self) -> None:
        """End the loop. The connections in it must have been closed before."""
        if self._runner:
            self._runner.close()

    async def _send(self, messages: Sequence[Message], last_start: datetime) -> list[Outcome]:
        from asyncio import gather

        waiting = iter(enumerate(messages))
        outcomes: dict[int, Outcome] = {}

        async def work() -> None:
            """One caller: the next message as soon as the last has its outcome."""
            for place, message in waiting:
                outcomes[place] = await self._one(message, last_start)

        await gather(*(work() for _ in range(min(IN_FLIGHT, len(messages)))))
        return [outcomes[place] for place in range(len(messages))]

    async def _one(self, message: Message, last_start: datetime) -> Outcome:
        try:
            credential = await self._vault.open(message.credential)
        except Exception:
            # Whatever kept the credential shut, the provider was not asked.
            log.exception("credential not opened", extra={"integration": str(message.credential.integration_id)})
            return NotTried("the credential could not be opened")
        if self._clock() > last_start:
            return NotTried("the sender's time was over")
        if message.ask_until and self._clock() > message.ask_until:
            return Unknown("it may have been taken, and its idempotency key is too old to ask again")
        if not message.live:
            # A test token's message has walked the whole pipeline, its credential included, and stops here.
            return simulation.outcome(message)
        if not is_printable(credential):
            # In a header it would begin another one, and the error that says so would show it.
            return Rejected(RejectionKind.CONFIG, "the credential has characters that no header may have")
        return await self._call(message, credential)

    async def _call(self, message: Message, credential: str) -> Outcome:
        try:
            return await self._client.call(message, credential)
        except Exception as error:  # noqa: BLE001  # it is logged, all but its words
            # One message that cannot be asked for (its integration lacks a setting) must not cost the others of
            # this invoke their outcomes: without those they would be sent again. What the error says may be a part
            # of the message or of the credential; where it was raised is not.
            where = "".join(format_tb(error.__traceback__))
            known = {"delivery": str(message.delivery_id), "error": type(error).__name__, "where": where}
            log.error("call failed", extra=known)  # noqa: TRY400
            return Unknown("the call failed on our side")
