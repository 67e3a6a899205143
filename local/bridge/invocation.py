"""Calling a function with a batch: synchronously, once per try, for as long as the emulator needs to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from local.bridge.outcome import Failed, Outcome, outcome_of
from local.bridge.settling import pause_before
from local.sessions import emulated

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.bridge.event import Batch

# Above the longest function there is (Lambda's own limit), so that boto3 never gives up on one that still runs.
READ_TIMEOUT_SECONDS = 905


def lambda_client(connections: int) -> Any:
    """Without retries: boto3 would repeat an invoke that timed out, and so send every message in it twice."""
    config = Config(
        connect_timeout=5,
        read_timeout=READ_TIMEOUT_SECONDS,
        max_pool_connections=connections,
        retries={"total_max_attempts": 1},
    )
    return emulated().client("lambda", config=config)


class Invoker:
    """One function, called for one partition."""

    def __init__(self, client: Any, function: str, pause: Callable[[float], None], note: Callable[[str], None]) -> None:
        self._client = client
        self._function = function
        self._pause = pause
        self._note = note

    def invoke(self, batch: Batch) -> Outcome:
        """An emulator that is away, or has no free worker, is waited for: that is no failure of the batch."""
        tries = 0
        while True:
            tries += 1
            try:
                return self._try(batch)
            except ReadTimeoutError as error:
                return Failed(str(error))
            except (ClientError, BotoCoreError) as error:
                self._note(f"cannot invoke {self._function}: {error}")
                self._pause(pause_before(tries))

    def _try(self, batch: Batch) -> Outcome:
        answer = self._client.invoke(FunctionName=self._function, Payload=batch.payload)
        return outcome_of(batch, answer.get("FunctionError"), answer["Payload"].read())
