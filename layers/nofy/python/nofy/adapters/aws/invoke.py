"""The hop from the VPC to a sender function: one synchronous invoke that nobody ever repeats."""

from __future__ import annotations

import json
from threading import Lock
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import InvokeRefusedError, InvokeUncertainError
from nofy.domain.json_bytes import json_bytes
from nofy.domain.sending import message_of, message_to_json, read_response, request
from nofy.domain.timing import INVOKE_READ_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from nofy.domain.delivery import Leased
    from nofy.domain.outcomes import Outcome
    from nofy.domain.routing import Provider

CONNECT_TIMEOUT = 3


# Lambda's 5xx errors that say the function was not run: it could not be given a place, a network or its key.
_NEVER_RAN = frozenset(
    (
        "EC2AccessDeniedException EC2ThrottledException EC2UnexpectedException ENILimitReachedException "
        "InvalidRuntimeException InvalidSecurityGroupIDException InvalidSubnetIDException InvalidZipFileException "
        "KMSAccessDeniedException KMSDisabledException KMSInvalidStateException KMSNotFoundException "
        "ResourceNotReadyException SubnetIPAddressLimitReachedException"
    ).split()
)


def _never_ran(response: Mapping[str, Any]) -> bool:
    """Throttled, unknown, forbidden, too large (any 4xx), or one of the 5xx above: nothing was tried."""
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return status < 500 or response.get("Error", {}).get("Code") in _NEVER_RAN


class LambdaSender:
    """Implements :class:`nofy.ports.sender.Sender`; ``functions`` names each provider's sender function."""

    def __init__(self, functions: Mapping[str, str]) -> None:
        self._functions = functions
        self._client: Any = None
        self._lock = Lock()  # groups start at once, and making clients in several threads breaks boto3's session

    def weigh(self, delivery: Leased) -> int:
        # Lambda's limit is on bytes of JSON; everything but the content and the credential is small.
        return 1_024 + len(json_bytes(delivery.content)) + 2 * len(delivery.credential)

    def send(self, provider: Provider, batch: Sequence[Leased], deadline: datetime) -> list[Outcome]:
        messages = [message_to_json(message_of(each)) for each in batch]
        answer = self._invoke(self._functions[provider], json_bytes(request(messages, deadline)))
        try:
            return read_response(json.loads(answer))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise InvokeUncertainError(f"the sender's answer cannot be read: {error!r}") from error

    def _invoke(self, function: str, payload: bytes) -> bytes:
        from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

        try:
            answer = self._connected().invoke(FunctionName=function, Payload=payload)
            body = answer["Payload"].read()
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise InvokeRefusedError(f"Lambda was not reached: {error}") from error
        except ClientError as error:
            if _never_ran(error.response):
                raise InvokeRefusedError(f"Lambda refused: {error}") from error
            raise InvokeUncertainError(f"Lambda failed: {error}") from error
        except Exception as error:
            raise InvokeUncertainError(f"no answer from Lambda: {error!r}") from error
        if "FunctionError" in answer:
            raise InvokeUncertainError(f"the sender failed: {body[:500].decode(errors='replace')}")
        return bytes(body)

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                import boto3
                from botocore.config import Config

                # total_max_attempts=1: boto3 repeats a synchronous invoke whose read timed out (3 to 5 runs of
                # one function were seen), and a repeated invoke is a repeated message.
                config = Config(
                    retries={"total_max_attempts": 1},
                    connect_timeout=CONNECT_TIMEOUT,
                    read_timeout=INVOKE_READ_TIMEOUT,
                )
                self._client = boto3.client("lambda", config=config)
            return self._client
