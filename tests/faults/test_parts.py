"""The harness's own parts: what a dead consumer held, whose answer an answer is, and when Kafka is up."""

from __future__ import annotations

import multiprocessing
import socket
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from faults import fleet
from faults.fleet import Line, ProducerGoneError
from faults.hands import Hands, NotingSender, fallen
from local import kafka_broker
from nofy.domain.routing import Priority

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


def leased(*deliveries: UUID):
    return [SimpleNamespace(fence=SimpleNamespace(delivery_id=each)) for each in deliveries]


@dataclass
class Silent:
    """A sender that looks at what was noted before it sends."""

    folder: Path
    noted: object = None

    def send(self, provider, batch, deadline):
        self.noted = fallen(self.folder, "consumer-slack")
        return []


def test_what_a_dead_consumer_had_in_hand_is_known_on_every_lane_and_asked_once(tmp_path: Path):
    log = str(tmp_path / "consumer-slack.log")
    high, low = Hands(log, Priority.HIGH), Hands(log, Priority.LOW)
    high.take(leased(ONE, TWO))
    low.take(leased(THREE))
    assert fallen(tmp_path, "consumer-slack") == {ONE: 1, TWO: 1, THREE: 1}
    assert not fallen(tmp_path, "consumer-slack")


def test_what_was_handed_back_is_not_in_hand_any_more(tmp_path: Path):
    hands = Hands(str(tmp_path / "consumer-slack.log"), Priority.HIGH)
    hands.take(leased(ONE))
    hands.lay_down()
    hands.take(leased(TWO))
    assert fallen(tmp_path, "consumer-slack") == {TWO: 1}


def test_a_batch_is_in_hand_before_the_sender_is_asked(tmp_path: Path):
    sender = Silent(tmp_path)
    NotingSender(sender, Hands(str(tmp_path / "consumer-slack.log"), Priority.HIGH)).send(None, leased(ONE), None)
    assert sender.noted == {ONE: 1}


def test_an_answer_that_came_too_late_is_not_taken_for_the_next_ones(monkeypatch: pytest.MonkeyPatch):
    ours, theirs = multiprocessing.Pipe()
    line = Line(ours)
    with theirs:
        monkeypatch.setattr(fleet, "ANSWER_SECONDS", 0)
        with pytest.raises(ProducerGoneError):
            line.ask("POST", "/first")
        theirs.send((1, 202, "of the first"))
        theirs.send((2, 202, "of the second"))
        monkeypatch.setattr(fleet, "ANSWER_SECONDS", 5)
        assert line.ask("POST", "/second") == (202, "of the second")
    line.close()


def test_a_broker_that_takes_connections_and_says_nothing_is_not_up(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        bootstrap = f"127.0.0.1:{mute.getsockname()[1]}"
        assert not kafka_broker.speaks(bootstrap)
    assert not kafka_broker.speaks(bootstrap), "and one that takes none is not either"
