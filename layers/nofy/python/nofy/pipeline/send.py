"""Send: the provider's calls, many at once, none that cannot finish, an answer for each."""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from traceback import format_tb
from typing import TYPE_CHECKING

from nofy.domain import simulation
from nofy.domain.integrations import is_printable
from nofy.domain.outcomes import NotTried, Outcome, Rejected, RejectionKind, Unknown
from nofy.domain.timing import PROVIDER_CONNECT_TIMEOUT, PROVIDER_TIMEOUT, SENDER_MARGIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nofy.domain.sending import Message
    from nofy.ports.clock import Clock
    from nofy.ports.provider import ProviderClient, Vault

log = logging.getLogger(__name__)

# Calls in flight per invoke: at 50 ms a call this is 640 messages a second from one sender, and the sender's
# waiting time is the largest lever on its cost.
IN_FLIGHT = 32

_LONGEST_CALL = timedelta(seconds=PROVIDER_CONNECT_TIMEOUT + PROVIDER_TIMEOUT)


@dataclass(frozen=True, slots=True)
class ChannelSender:
    """One provider's client and the vault that opens its credentials."""

    client: ProviderClient
    vault: Vault
    clock: Clock
    # Kept from invoke to invoke: threads cost more than the calls they make. They begin with the first of them.
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(IN_FLIGHT), compare=False)

    def send(self, messages: Sequence[Message], deadline: datetime) -> list[Outcome]:
        """One outcome for each message, in order; what would outlive the deadline is not begun."""
        last_start = deadline - _LONGEST_CALL - timedelta(seconds=SENDER_MARGIN)
        waiting = deque(enumerate(messages))
        outcomes: dict[int, Outcome] = {}

        def work(_: int) -> None:
            """One caller: the next message as soon as the last has its outcome."""
            while waiting:
                try:
                    place, message = waiting.popleft()
                except IndexError:  # another caller took the last one
                    return
                outcomes[place] = self._one(message, last_start)

        list(self._threads.map(work, range(min(IN_FLIGHT, len(messages)))))
        return [outcomes[place] for place in range(len(messages))]

    def _one(self, message: Message, last_start: datetime) -> Outcome:
        try:
            credential = self.vault.open(message.credential)
        except Exception:
            # Whatever kept the credential shut, the provider was not asked.
            log.exception("credential not opened", extra={"integration": str(message.credential.integration_id)})
            return NotTried("the credential could not be opened")
        if self.clock() > last_start:
            return NotTried("the sender's time was over")
        if message.ask_until and self.clock() > message.ask_until:
            return Unknown("it may have been taken, and its idempotency key is too old to ask again")
        if not message.live:
            # A test token's message has walked the whole pipeline, its credential included, and stops here.
            return simulation.outcome(message)
        if not is_printable(credential):
            # In a header it would begin another one, and the error that says so would show it.
            return Rejected(RejectionKind.CONFIG, "the credential has characters that no header may have")
        return self._call(message, credential)

    def _call(self, message: Message, credential: str) -> Outcome:
        try:
            return self.client.call(message, credential)
        except Exception as error:  # noqa: BLE001  # it is logged, all but its words
            # One message that cannot be asked for (its integration lacks a setting) must not cost the others of
            # this invoke their outcomes: without those they would be sent again. What the error says may be a part
            # of the message or of the credential; where it was raised is not.
            where = "".join(format_tb(error.__traceback__))
            known = {"delivery": str(message.delivery_id), "error": type(error).__name__, "where": where}
            log.error("call failed", extra=known)  # noqa: TRY400
            return Unknown("the call failed on our side")
