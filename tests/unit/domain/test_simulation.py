"""Magic destinations: every outcome has one on every channel, and none of them can be anybody's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from nofy.domain import simulation
from nofy.domain.delivery import Leased
from nofy.domain.outcomes import Accepted, Outcome, Rejected, RejectionKind, Throttled, Transient, Unknown
from nofy.domain.retry import POLICIES, Decision, DeliveryMode, Done, GiveUp, LeaveUnknown, Park, Retry, decide
from nofy.domain.routing import Channel, Priority
from nofy.domain.sending import message_of
from nofy.runtime.api.models import Email, Phone, SlackChannel
from tests.unit.domain.examples import DELIVERY, NOW, leased, message

GUIDE = Path(__file__).parents[3] / "docs" / "testing.md"

TAKEN = Accepted(f"test_{DELIVERY.hex}")
LATER, GONE, LOST = (
    Throttled("simulated", 2.0, simulation.ThrottleScope.DESTINATION),
    Transient("simulated"),
    Unknown("simulated"),
)


def refused(kind: RejectionKind) -> Rejected:
    return Rejected(kind, "simulated")


# What the first four attempts come to.
TABLE: dict[str, list[Outcome]] = {
    "accepted": [TAKEN] * 4,
    "throttled": [LATER, TAKEN, TAKEN, TAKEN],
    "flaky": [GONE, GONE, TAKEN, TAKEN],
    "unavailable": [GONE] * 4,
    "recipient-refused": [refused(RejectionKind.RECIPIENT)] * 4,
    "content-refused": [refused(RejectionKind.CONTENT)] * 4,
    "credential-refused": [refused(RejectionKind.CONFIG)] * 4,
    "answer-lost": [LOST, TAKEN, TAKEN, TAKEN],
    "unknown": [LOST] * 4,
}


def addresses(name: str) -> dict[Channel, str]:
    return {
        Channel.EMAIL: f"{name}@simulated.example",
        Channel.SLACK: f"C0SIM-{name.upper()}",
        Channel.WHATSAPP: f"+1555010010{list(TABLE).index(name)}",
    }


def test_the_table_is_whole():
    assert list(TABLE) == list(simulation.OUTCOMES)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("name", TABLE)
def test_a_magic_destination_goes_as_its_name_says(channel: Channel, name: str):
    to = addresses(name)[channel]
    found = [simulation.outcome(message(destination=to, live=False, attempt=attempt)) for attempt in (1, 2, 3, 4)]
    assert found == TABLE[name]


@pytest.mark.parametrize("name", TABLE)
def test_the_api_takes_every_magic_destination(name: str):
    kinds = {Channel.EMAIL: Email, Channel.SLACK: SlackChannel, Channel.WHATSAPP: Phone}
    for channel, to in addresses(name).items():
        assert TypeAdapter(kinds[channel]).validate_python(to) == to


@pytest.mark.parametrize("to", ["unavailable+42@simulated.example", "Unavailable@Simulated.Example"])
def test_one_outcome_has_as_many_recipients_as_one_likes(to: str):
    assert simulation.name(to) == "unavailable"


@pytest.mark.parametrize(
    "to",
    [
        "ada@example.com",
        "unavailable@example.com",
        "unavailable@simulated.example.com",
        "unavailable@x.simulated.example",
        "nobody@simulated.example",
        "@simulated.example",
        "+simulated@simulated.example",
        "+15550100001",
        "+15550100109",
        "+155501001011",
        "C0DEPLOYS",
        "C0SIM-",
        "C0SIM-NOTHING",
        "c0sim-unavailable",
        "unavailable",
        "",
    ],
)
def test_everything_else_is_accepted(to: str):
    assert simulation.outcome(message(destination=to, live=False)) == TAKEN


def walk(tried: Leased, most: int = 30) -> tuple[int, Decision]:
    """Attempt after attempt as the pipeline makes them; how many, and how it ends."""
    from dataclasses import replace

    now = NOW
    for attempt in range(1, most):
        tried = replace(tried, fence=replace(tried.fence, attempt_no=attempt))
        decision = decide(simulation.outcome(message_of(tried)), tried.tried, now, lambda: 0.5)
        if not isinstance(decision, Retry | Park):
            return attempt, decision
        now = decision.at
        tried = replace(tried, spent=tried.spent + isinstance(decision, Retry))
    raise AssertionError("it never ends")


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize(
    ("name", "mode", "attempts", "end"),
    [
        ("accepted", DeliveryMode.AT_LEAST_ONCE, 1, Done()),
        ("throttled", DeliveryMode.AT_LEAST_ONCE, 2, Done()),
        ("flaky", DeliveryMode.AT_LEAST_ONCE, 3, Done()),
        ("unavailable", DeliveryMode.AT_LEAST_ONCE, None, GiveUp("exhausted: transient: simulated")),
        ("recipient-refused", DeliveryMode.AT_LEAST_ONCE, 1, GiveUp("rejected_recipient: simulated")),
        ("content-refused", DeliveryMode.AT_LEAST_ONCE, 1, GiveUp("rejected_content: simulated")),
        # A live one would be held; this one holds nothing that live messages need.
        ("credential-refused", DeliveryMode.AT_LEAST_ONCE, 1, GiveUp("rejected_config: simulated")),
        ("answer-lost", DeliveryMode.AT_LEAST_ONCE, 2, Done()),
        ("answer-lost", DeliveryMode.AT_MOST_ONCE, 1, LeaveUnknown("unknown: simulated")),
        ("unknown", DeliveryMode.AT_LEAST_ONCE, None, GiveUp("exhausted: unknown: simulated")),
        ("unknown", DeliveryMode.AT_MOST_ONCE, 1, LeaveUnknown("unknown: simulated")),
    ],
)
def test_every_simulated_delivery_ends_and_ends_as_its_name_says(
    priority: Priority, name: str, mode: DeliveryMode, attempts: int | None, end: Decision
):
    to = addresses(name)[Channel.EMAIL]
    begun = leased(destination=to, live=False, delivery_mode=mode, priority=priority)
    assert walk(begun) == (attempts or POLICIES[priority].max_attempts, end)


def test_the_guide_has_the_table_as_it_is():
    rows = re.findall(
        r"^\| `([a-z-]+)@simulated\.example` \| `([^`]+)` \| `([^`]+)` \|", GUIDE.read_text(), re.MULTILINE
    )
    assert rows == [
        (name, addresses(name)[Channel.SLACK], addresses(name)[Channel.WHATSAPP]) for name in simulation.OUTCOMES
    ]
