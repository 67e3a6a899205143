"""What is published, and when: pure, and the same for every peer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.peers.settings import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

# As long as a short message is.
_TEXT = "Build {number} of the shop's front page is live. Roll it back with one click if anything looks odd."


def body(number: int, send_at: datetime | None = None) -> dict[str, Any]:
    """A request as Nofy's API takes it. The stub provider finds ``bench-<number>`` in the text."""
    request: dict[str, Any] = {
        "to": {"email": "ada@example.com"},
        "channels": ["email"],
        "content": {"subject": "Deploy finished", "text": f"bench-{number}: {_TEXT.format(number=number)}"},
    }
    return request if send_at is None else {**request, "send_at": send_at}


def batches(count: int, first: int) -> Iterator[list[dict[str, Any]]]:
    for begin in range(first, first + count, BATCH):
        yield [body(number) for number in range(begin, min(begin + BATCH, first + count))]


def scheduled(rate: float, seconds: float) -> int:
    return int(rate * seconds)


def moments(rate: float, seconds: float, begin: float, first: int) -> dict[int, float]:
    """Number to due time, evenly from ``begin`` on."""
    return {first + each: begin + each / rate for each in range(scheduled(rate, seconds))}


def pause(done: int, count: int, elapsed: float, shortest: float) -> float:
    """Until the rows are counted again: a quarter of the time that seems to be left, since counting costs its share of
    two cores, and ``shortest`` towards the end, where it decides what is measured.
    """
    left = elapsed * (count - done) / done if done else 0.0
    return min(max(left / 4, shortest), 1.0)
