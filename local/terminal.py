"""How a verb ends on the terminal: what a person can act on is one line, anything else is a bug and shows its trace."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from local.bringup import StackError
from local.client import RefusedError
from local.deployment import DeploymentError
from local.kafka_broker import BrokerError
from local.logs import LogError
from local.ports import PortError
from local.postgres import PostgresError
from local.probe import ProbeError
from local.processes import ProcessError
from local.redis_server import RedisError
from local.stack import SettingsError
from nofy.runtime.operator import OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable

EXPECTED = (
    *(StackError, PortError, SettingsError, LogError, ValueError, RefusedError),
    *(ProbeError, ProcessError, PostgresError, RedisError, BrokerError, DeploymentError, OperatorError),
)


def told(verb: Callable[[], int]) -> int:
    """The verb's exit code; 1 and a line on standard error when it could not be done."""
    try:
        return verb()
    except EXPECTED as error:
        print(f"error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted: the stack was taken down again", file=sys.stderr)
    return 1
