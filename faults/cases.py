"""The table of faults (``docs/faults.md``), one function each: break something, then everything must have ended well.

A case raises AssertionError for what is particular to it; lost, doubled and backward is looked for after every one.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from faults.fleet import CONSUMERS, ProducerGoneError
from faults.shortened import SHORTENED
from faults.tricks import Death
from nofy.domain.routing import ACKS_TOPIC, LANES, Channel
from nofy.runtime import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.bench import Bench

FEW = 30
MANY = 90
LEASE = SHORTENED["ATTEMPT_LEASE"]


# The producer


def producer_killed_before_commit(bench: Bench) -> None:
    """No row, and the same request succeeds afterwards."""
    rows = _rows(bench)
    items, key = _ask_a_mortal(bench, Death("PostgresAcceptances.accept"))
    assert _rows(bench) == rows, "a row without a commit"
    bench.client.accept(items, key)
    assert _rows(bench) == rows + len(items)


def producer_killed_between_commit_and_redis(bench: Bench) -> None:
    """Found by the reconciler; the same request is told of the same deliveries."""
    rows = _rows(bench)
    items, key = _ask_a_mortal(bench, Death("RedisSchedule.add"))
    assert _rows(bench) == rows + len(items), "the commit was made"
    promised = bench.client.accept(items, key)
    assert _rows(bench) == rows + len(items), "asked again, and accepted again"
    _all_sent(bench, promised)


def producer_killed_before_it_answers(bench: Bench) -> None:
    rows = _rows(bench)
    items, key = _ask_a_mortal(bench, Death("RedisSchedule.add", before=False))
    promised = bench.client.accept(items, key)
    assert _rows(bench) == rows + len(items)
    _all_sent(bench, promised)


def _ask_a_mortal(bench: Bench, death: Death) -> tuple[list[dict[str, Any]], str]:
    bench.fleet.kill("producer")
    bench.fleet.start("producer", death=death)
    items, key = bench.items(FEW), secrets.token_hex(8)
    try:
        bench.client.ask("POST", "/v1/notifications/batch", {"notifications": items}, key)
    except ProducerGoneError:
        bench.fleet.restart("producer")
        return items, key
    raise AssertionError("the producer outlived its death")


# The dispatcher


def dispatcher_killed_after_claim(bench: Bench) -> None:
    _dies_at(bench, "dispatcher", Death("PostgresDispatches.waiting"))


def dispatcher_killed_after_produce(bench: Bench) -> None:
    """Before it marked anything: claimed and produced again under the same fences."""
    _dies_at(bench, "dispatcher", Death("PostgresDispatches.mark_queued"))


def two_dispatchers(bench: Bench) -> None:
    bench.fleet.start("dispatcher.2", "dispatcher.3")
    promised = [each for _ in range(3) for each in bench.accept(MANY)]
    _all_sent(bench, promised)
    for name in ("dispatcher.2", "dispatcher.3"):
        bench.fleet.kill(name)


def produce_fails_for_part_of_a_batch(bench: Bench) -> None:
    _misbehaving(bench, ("dispatcher",), "fault_produce_fails_in_part")


# The consumer


def consumer_killed_before_the_sender(bench: Bench) -> None:
    _dies_at(bench, "consumer-slack", Death("HttpSender.send"), Channel.SLACK)


def consumer_killed_in_the_middle_of_a_batch(bench: Bench) -> None:
    _dies_at(bench, "consumer-slack", Death("AttemptTold.call", before=False, nth=5), Channel.SLACK)


def consumer_killed_between_the_200_and_the_ack(bench: Bench) -> None:
    """The window that nobody can close, where the provider has no idempotency."""
    _dies_at(bench, "consumer-slack", Death("KafkaBus.publish"), Channel.SLACK)


def consumer_killed_between_the_200_and_the_ack_at_brevo(bench: Bench) -> None:
    """It can be closed where it has: not one message twice (that is looked at after every case)."""
    _dies_at(bench, "consumer-email", Death("KafkaBus.publish"), Channel.EMAIL)


def consumer_whose_time_is_over(bench: Bench) -> None:
    _misbehaving(bench, CONSUMERS, "fault_time_is_over")


def _dies_at(bench: Bench, name: str, death: Death, *channels: Channel) -> None:
    """The worker dies there, is started again, and everything is sent."""
    bench.fleet.kill(name)
    promised = bench.accept(FEW, *channels)
    bench.fleet.start(name, death=death)
    assert bench.fleet.await_death(name), f"{name} never came to {death.target}"
    bench.fleet.start(name)
    _all_sent(bench, promised)


def _misbehaving(bench: Bench, names: tuple[str, ...], trick: str) -> None:
    for name in names:
        bench.fleet.kill(name)
        bench.fleet.start(name, tricks=(trick,))
    _all_sent(bench, bench.accept(MANY))
    for name in names:
        bench.fleet.restart(name)


# Acks


def acks_duplicated_and_reordered(bench: Bench) -> None:
    bench.fleet.kill("acks")
    since = _ends(bench)
    promised = bench.accept(MANY)
    assert bench.wait(lambda: sum(_ends(bench).values()) >= sum(since.values()) + MANY, bench.patience)
    _repeat_backwards(bench, since)
    bench.fleet.start("acks")
    _all_sent(bench, promised)


def acks_handler_down_for_longer_than_a_lease(bench: Bench) -> None:
    """The reconciler reports expired leases behind acceptances that are in the topic already: those win."""
    bench.fleet.kill("acks")
    promised = bench.accept(MANY)
    assert bench.wait(lambda: bench.taken(promised) == MANY, bench.patience)
    time.sleep(LEASE + 3)
    bench.fleet.start("acks")
    _all_sent(bench, promised)
    assert _calls(bench, promised) == len(promised), "a second send"


def _acks(bench: Bench) -> tuple[KafkaConsumer, list[TopicPartition]]:
    reader = KafkaConsumer(
        bootstrap_servers=bench.machine.addresses.kafka, enable_auto_commit=False, metrics_enabled=False
    )
    return reader, [TopicPartition(ACKS_TOPIC, each) for each in reader.partitions_for_topic(ACKS_TOPIC)]


def _ends(bench: Bench) -> dict[TopicPartition, int]:
    reader, partitions = _acks(bench)
    ends: dict[TopicPartition, int] = reader.end_offsets(partitions)
    reader.close()
    return ends


def _repeat_backwards(bench: Bench, since: dict[TopicPartition, int]) -> None:
    """Every ack since then twice more: once in the opposite order."""
    reader, partitions = _acks(bench)
    reader.assign(partitions)
    for where, offset in since.items():
        reader.seek(where, offset)
    found: list[Any] = []
    while len(found) < MANY:
        found += [each for some in reader.poll(timeout_ms=1_000).values() for each in some]
    reader.close()
    writer = KafkaProducer(bootstrap_servers=bench.machine.addresses.kafka, acks="all", metrics_enabled=False)
    for each in [*reversed(found), *found]:
        writer.send(ACKS_TOPIC, each.value, key=each.key)
    writer.flush()
    writer.close()


# Redis


def redis_emptied(bench: Bench) -> None:
    soon = clock.now() + timedelta(seconds=2)
    promised = bench.accept(MANY, send_at=soon.isoformat())
    bench.machine.redis().flushall()
    _all_sent(bench, promised)


def redis_restarted_empty(bench: Bench) -> None:
    soon = clock.now() + timedelta(seconds=2)
    promised = bench.accept(MANY, send_at=soon.isoformat())
    bench.restart_server("redis")
    _all_sent(bench, promised)


def redis_unreachable(bench: Bench) -> None:
    bench.machine.servers["redis"].kill()
    status, _, promised = _post(bench)
    bench.machine.servers["redis"].start()
    assert status == 202, f"without Redis: {status}"
    _all_sent(bench, promised)


def redis_out_of_memory(bench: Bench) -> None:
    redis = bench.machine.redis()
    redis.config_set("maxmemory", "1")
    status, _, promised = _post(bench)
    time.sleep(1)
    redis.config_set("maxmemory", "0")
    assert status == 202, f"Redis full: {status}"
    _all_sent(bench, promised)


# PostgreSQL and Kafka


def postgres_restarted(bench: Bench) -> None:
    promised = bench.accept(MANY)
    bench.restart_server("postgres")
    _all_sent(bench, promised)


def postgres_down(bench: Bench) -> None:
    """503 and never 202; afterwards as if nothing had been."""
    bench.machine.servers["postgres"].kill()
    try:
        status, document, _ = _post(bench)
    finally:
        bench.machine.servers["postgres"].start()
    assert status == 503, f"without PostgreSQL: {status} {document}"
    _all_sent(bench, bench.accept(FEW))


def kafka_down_at_dispatch(bench: Bench) -> None:
    bench.machine.servers["kafka"].kill()
    promised = bench.accept(FEW)
    time.sleep(4)
    bench.machine.servers["kafka"].start()
    _all_sent(bench, promised)


# Records


def poison_records(bench: Bench) -> None:
    """Among good ones, on every lane: bad JSON, an unknown version, one as large as Kafka takes, a tombstone."""
    buried = _buried(bench)
    poison = [b"{not json", b'{"v": 99}', b"x" * 900_000, b"", b'{"v": 1, "delivery_id": 7}']
    writer = KafkaProducer(bootstrap_servers=bench.machine.addresses.kafka, acks="all", metrics_enabled=False)
    promised = bench.accept(FEW)
    for lane in LANES:
        for each in poison:
            writer.send(lane.topic, each)
    writer.flush()
    promised += bench.accept(FEW)
    _all_sent(bench, promised)
    for each in poison:
        writer.send(ACKS_TOPIC, each)
    writer.flush()
    writer.close()
    promised = bench.accept(FEW)
    _all_sent(bench, promised)
    expected = len(poison) * (len(LANES) + 1)
    assert bench.wait(lambda: _buried(bench) == buried + expected, 20), (
        f"{_buried(bench) - buried} of {expected} buried"
    )


def _buried(bench: Bench) -> int:
    return int(bench.machine.query("SELECT count(*) FROM dead_letters WHERE kind <> 'delivery'")[0][0])


def records_twice(bench: Bench) -> None:
    """Every delivery record once more, after its delivery was sent: a consumer drops what is not the row's any more."""
    promised = bench.accept(MANY)
    _all_sent(bench, promised)
    reader = KafkaConsumer(bootstrap_servers=bench.machine.addresses.kafka, metrics_enabled=False)
    writer = KafkaProducer(bootstrap_servers=bench.machine.addresses.kafka, acks="all", metrics_enabled=False)
    ids = {str(each.delivery_id).encode() for each in promised}
    for each in _everything(reader, [lane.topic for lane in LANES]):
        if each.value and any(identifier in each.value for identifier in ids):
            writer.send(each.topic, each.value, key=each.key)
    writer.flush()
    for client in (reader, writer):
        client.close()
    time.sleep(2)
    _all_sent(bench, promised)
    assert _calls(bench, promised) == len(promised), "a second send"


def _everything(reader: KafkaConsumer, topics: list[str]) -> list[Any]:
    """Every record that lies on some topics."""
    partitions = [TopicPartition(topic, each) for topic in topics for each in reader.partitions_for_topic(topic)]
    reader.assign(partitions)
    reader.seek_to_beginning()
    wanted = sum(reader.end_offsets(partitions).values())
    found: list[Any] = []
    while len(found) < wanted:
        found += [each for some in reader.poll(timeout_ms=1_000).values() for each in some]
    return found


# The provider


def provider_throttles(bench: Bench) -> None:
    """Retry-After (a second) is kept to, and nothing is spent by it."""
    promised = bench.accept(FEW, script="429*2")
    _all_sent(bench, promised)
    at: dict[str, list[float]] = {}
    for call in _calls_of(bench, promised):
        at.setdefault(call.delivery_id, []).append(call.at)
    waits = [later - earlier for each in at.values() for earlier, later in pairwise(each)]
    assert min(waits) >= 0.99, f"asked again after {min(waits):.2f} s"
    spent = bench.machine.query("SELECT max(spent) FROM deliveries WHERE id = ANY(%(i)s)", i=_ids(promised))[0][0]
    assert spent == 0, f"{spent} attempts spent by throttles"


def provider_answers_5xx(bench: Bench) -> None:
    _all_sent(bench, bench.accept(FEW, script="503*2"))


def provider_hangs(bench: Bench) -> None:
    _all_sent(bench, bench.accept(FEW, script="hang*1"))


def provider_resets_the_connection(bench: Bench) -> None:
    _all_sent(bench, bench.accept(FEW, script="reset*2"))


def provider_takes_it_and_says_nothing(bench: Bench) -> None:
    """Asked again: once too often at Slack and WhatsApp, where nobody can know, and never at Brevo."""
    _all_sent(bench, bench.accept(FEW, script="lost*1"))


def provider_is_slow(bench: Bench) -> None:
    promised = bench.accept(FEW, script="slow*1")
    _all_sent(bench, promised)
    assert _calls(bench, promised) == len(promised)


def credential_refused_and_mended(bench: Bench) -> None:
    """The integration is held, what is due waits, and is sent with the next credential."""
    bench.client.set_credential(Channel.EMAIL, "refused")
    promised = bench.accept(FEW, Channel.EMAIL)
    assert bench.wait(lambda: bench.statuses(promised) == {"held": FEW}, bench.patience), bench.statuses(promised)
    asked = _calls(bench, promised)
    time.sleep(2)
    assert _calls(bench, promised) == asked, "a held integration was called"
    bench.client.set_credential(Channel.EMAIL, "mended")
    _all_sent(bench, promised)


def permanent_refusal(bench: Bench) -> None:
    """One call each, and a dead letter with the provider's reason."""
    promised = bench.accept(FEW, script="refuse*9")
    assert bench.settle(promised), "not ended"
    assert bench.statuses(promised) == {"failed": FEW}
    assert _calls(bench, promised) == FEW, "a refusal was tried again"
    assert bench.wait(lambda: len(_letters(bench, promised)) == FEW, 20)
    assert all(reason.startswith("rejected_recipient") for _, reason in _letters(bench, promised))


# People


def redriven_twice(bench: Bench) -> None:
    """At the same moment: one of them is taken, and there is one send."""
    promised = bench.accept(9, script="refuse*1")
    assert bench.settle(promised)
    assert bench.wait(lambda: len(_letters(bench, promised)) == len(promised), 20)
    bench.fleet.start("dispatcher.2")
    for letter, _ in _letters(bench, promised):
        with ThreadPoolExecutor(2) as pool:
            answers = sorted(pool.map(bench.client.redrive, [letter, letter]))
        assert answers == [202, 409], answers
    _all_sent(bench, promised)
    bench.fleet.kill("dispatcher.2")
    assert bench.machine.query("SELECT max(redrive_no) FROM deliveries WHERE id = ANY(%(i)s)", i=_ids(promised)) == [
        (1,)
    ]
    assert bench.taken(promised) == len(promised)


def cancel_races_dispatch(bench: Bench) -> None:
    """Cancelled or sent, never both, and a 200 is kept."""
    soon = clock.now() + timedelta(seconds=1)
    promised = bench.accept(100, send_at=soon.isoformat())
    time.sleep(max(0, (soon - clock.now()).total_seconds() - 0.1))
    answers = {each.delivery_id: bench.client.cancel(each) for each in promised}
    assert bench.settle(promised), bench.statuses(promised)
    status = Counter(answers.values())
    assert set(status) <= {200, 409}, status
    assert bench.statuses(promised).get("cancelled", 0) == status[200]
    assert bench.taken(promised) == len(promised) - status[200], "cancelled and sent"


def clocks_five_seconds_apart(bench: Bench) -> None:
    """One dispatcher ahead, the consumers behind: nothing is early by more than that, and nothing is stuck."""
    bench.skew = 5.0
    bench.fleet.kill("dispatcher")
    bench.fleet.start("dispatcher", skew=5.0)
    bench.fleet.kill("consumer-slack")
    bench.fleet.start("consumer-slack", skew=-5.0)
    soon = clock.now() + timedelta(seconds=7)
    _all_sent(bench, bench.accept(FEW, send_at=soon.isoformat()))
    bench.fleet.restart("dispatcher")
    bench.fleet.restart("consumer-slack")


CASES: dict[str, Callable[[Bench], None]] = {
    each.__name__: each
    for each in (
        producer_killed_before_commit,
        producer_killed_between_commit_and_redis,
        producer_killed_before_it_answers,
        dispatcher_killed_after_claim,
        dispatcher_killed_after_produce,
        two_dispatchers,
        produce_fails_for_part_of_a_batch,
        consumer_killed_before_the_sender,
        consumer_killed_in_the_middle_of_a_batch,
        consumer_killed_between_the_200_and_the_ack,
        consumer_killed_between_the_200_and_the_ack_at_brevo,
        consumer_whose_time_is_over,
        acks_duplicated_and_reordered,
        acks_handler_down_for_longer_than_a_lease,
        redis_emptied,
        redis_restarted_empty,
        redis_unreachable,
        redis_out_of_memory,
        postgres_restarted,
        postgres_down,
        kafka_down_at_dispatch,
        poison_records,
        records_twice,
        provider_throttles,
        provider_answers_5xx,
        provider_hangs,
        provider_resets_the_connection,
        provider_takes_it_and_says_nothing,
        provider_is_slow,
        credential_refused_and_mended,
        permanent_refusal,
        redriven_twice,
        cancel_races_dispatch,
        clocks_five_seconds_apart,
    )
}


def _all_sent(bench: Bench, promised: list[Any]) -> None:
    bench.settle(promised)
    seen = bench.statuses(promised)
    assert seen == {"sent": len(promised)}, seen


def _post(bench: Bench) -> tuple[int, Any, list[Any]]:
    """One request, asked once."""
    items = bench.items(FEW)
    status, document = bench.client.ask("POST", "/v1/notifications/batch", {"notifications": items})
    return status, document, bench.client.note(document) if status == 202 else []


def _rows(bench: Bench) -> int:
    return int(bench.machine.query("SELECT count(*) FROM deliveries")[0][0])


def _ids(promised: list[Any]) -> list[Any]:
    return [each.delivery_id for each in promised]


def _calls_of(bench: Bench, promised: list[Any]) -> list[Any]:
    ids = {str(each.delivery_id) for each in promised}
    return [each for each in bench.machine.calls() if each.delivery_id in ids]


def _calls(bench: Bench, promised: list[Any]) -> int:
    return len(_calls_of(bench, promised))


def _letters(bench: Bench, promised: list[Any]) -> list[tuple[Any, str]]:
    text = "SELECT id, reason FROM dead_letters WHERE kind = 'delivery' AND delivery_id = ANY(%(ids)s)"
    return [(row[0], str(row[1])) for row in bench.machine.query(text, ids=_ids(promised))]
