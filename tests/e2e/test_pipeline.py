"""What a user does not see, and relies on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from kafka import KafkaProducer

from nofy.domain.routing import Channel, Lane, Priority
from tests.e2e.conftest import wait_for
from tests.e2e.test_sending import slack

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack


def test_a_record_that_nobody_can_read_becomes_a_dead_letter_and_its_neighbours_are_delivered(stack: Stack):
    topic = Lane(Channel.SLACK, Priority.HIGH).topic
    poison = b"\xff\x00 not JSON"
    producer = KafkaProducer(bootstrap_servers=stack.made["kafka_bootstrap"])
    before = stack.send(slack("C0BEFORE", priority="high"))
    for partition in range(2):
        producer.send(topic, poison, partition=partition).get(10)
    producer.close()
    after = stack.send(slack("C0AFTER", priority="high"))

    assert stack.ended(before)["status"] == "sent"
    assert stack.ended(after)["status"] == "sent"
    query = "SELECT kind, reason, raw, source FROM dead_letters WHERE source LIKE %(topic)s"
    letters = wait_for(lambda: len(found := stack.database.run(query, {"topic": f"{topic}/%"})) == 2 and found)
    for kind, reason, raw, _ in letters:
        assert (kind, bytes(raw)) == ("record", poison)
        assert reason.startswith("not JSON")


def test_no_database_connection_is_held_while_a_provider_keeps_everybody_waiting(stack: Stack):
    # (other consumers may keep theirs, which have run nothing since)
    held = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'nofy-consumer' AND query_start > %(since)s"
    ((since,),) = stack.database.run("SELECT clock_timestamp()")
    notification = stack.send(slack("C0PATIENCESLOW3", priority="high"))
    wait_for(lambda: stack.read(notification)["status"] == "sending")
    wait_for(lambda: stack.database.run(held, {"since": since}) == [(0,)], patience=2)
    assert stack.read(notification)["status"] == "sending"
    assert stack.ended(notification)["status"] == "sent"


def test_a_sender_makes_its_calls_concurrently(stack: Stack):
    channels = [f"C0{letter}{number}SLOW1" for letter in "ABCDEFGH" for number in range(4)]
    answer = stack.api.post("/v1/notifications/batch", {"notifications": [slack(each) for each in channels]})
    for result in answer["results"]:
        assert stack.ended(result["notification"])["status"] == "sent"
    times = [datetime.fromisoformat(call["time"]) for each in channels for call in stack.calls(each)]
    assert len(times) == len(channels)
    # One after another they would take 32 seconds.
    assert (max(times) - min(times)).total_seconds() < 16


def test_every_notification_of_a_burst_is_sent_once(stack: Stack):
    def batch(number: int) -> list[dict]:
        return [slack(f"C0BURST{number}N{each}Z", tags=["burst"], priority="low") for each in range(100)]

    for number in range(5):
        stack.api.post("/v1/notifications/batch", {"notifications": batch(number)})
    query = (
        "SELECT d.status, count(*) FROM deliveries d JOIN notifications n ON n.id = d.notification_id"
        " WHERE n.tags @> ARRAY['burst'] GROUP BY 1"
    )
    wait_for(lambda: stack.database.run(query) == [("sent", 500)])
    calls = [each for each in stack.providers.call_list("/_control/ledger") if "BURST" in each["recipient"]]
    assert len(calls) == 500
    assert len({each["recipient"] for each in calls}) == 500


def test_a_channel_gets_its_messages_at_the_rate_it_bears_and_none_is_parked_twice(stack: Stack):
    answer = stack.api.post("/v1/notifications/batch", {"notifications": [slack("C0PACED")] * 8})
    seen = [stack.ended(each["notification"]) for each in answer["results"]]
    assert {each["status"] for each in seen} == {"sent"}
    assert max(len(each["deliveries"][0]["attempts"]) for each in seen) == 2
    times = sorted(datetime.fromisoformat(call["time"]) for call in stack.calls("C0PACED"))
    assert len(times) == 8
    # Three at once, then one a second.
    assert (times[-1] - times[0]).total_seconds() > 4
