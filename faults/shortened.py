"""The pipeline's constants of time, shortened: a lease that runs for five minutes would make a run take days.

Imported before any module of the pipeline, since those take the names as they are loaded. The chain
``provider < sender < invoke read < consumer < lease`` holds here as it does in production.
"""

from __future__ import annotations

from typing import Any

from nofy.domain import timing

SHORTENED: dict[str, float] = {
    "PROVIDER_CONNECT_TIMEOUT": 1,
    "PROVIDER_TIMEOUT": 2,
    "SENDER_TIMEOUT": 5,
    "SENDER_MARGIN": 0.5,
    "INVOKE_READ_TIMEOUT": 5.5,
    "CONSUMER_TIMEOUT": 7,
    "ATTEMPT_LEASE": 8,
    "CLAIM_LEASE": 3,
    "DISPATCHER_SLEEP": 0.25,
    "OVERDUE": 3,
    "QUEUED_TOO_LONG": 4,
}
# A record that Kafka has not taken by then lies on its attempt row instead, well within the lease.
BUS_DELIVERY_MS = 3_000
BUS_REQUEST_MS = 2_000
# Many attempts, close together: a run's failures are those that were asked for, not those that lost patience.
POLICY: dict[str, Any] = {"max_attempts": 12, "base": 0.2, "cap": 1.5}
PARK_SECONDS = 0.5
CIRCUIT_OPEN_SECONDS = (1, 2)


def shorten() -> None:
    """Once, in every process of a run."""
    for name, seconds in SHORTENED.items():
        if not hasattr(timing, name):
            raise AttributeError(f"nofy.domain.timing has no {name} any more")
        setattr(timing, name, seconds)
    from nofy.adapters.kafka import offsets, producer
    from nofy.domain import breaker, retry
    from nofy.domain.routing import Priority

    policy = retry.Policy(**POLICY)
    retry.POLICIES.update(dict.fromkeys(Priority, policy))
    retry.PARK_DEFAULT = PARK_SECONDS
    breaker.OPEN_FIRST, breaker.OPEN_MOST = CIRCUIT_OPEN_SECONDS
    producer.DELIVERY_TIMEOUT_MS = BUS_DELIVERY_MS
    producer.REQUEST_TIMEOUT_MS = BUS_REQUEST_MS
    offsets.REQUEST_TIMEOUT_MS = BUS_REQUEST_MS
