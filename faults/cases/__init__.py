"""The table of faults (``docs/faults.md``), one function each: break something, then everything must have ended well.

A case raises AssertionError for what is particular to it; lost, doubled and backward is looked for after every one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.cases import acks, consumer, dispatcher, people, producer, provider, records, redis, servers

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.bench import Bench

CASES: dict[str, Callable[[Bench], None]] = {
    each.__name__: each
    for each in (
        producer.producer_killed_before_commit,
        producer.producer_killed_between_commit_and_redis,
        producer.producer_killed_before_it_answers,
        dispatcher.dispatcher_killed_after_claim,
        dispatcher.dispatcher_killed_after_produce,
        dispatcher.two_dispatchers,
        dispatcher.produce_fails_for_part_of_a_batch,
        consumer.consumer_killed_before_the_sender,
        consumer.consumer_killed_in_the_middle_of_a_batch,
        consumer.consumer_killed_between_the_200_and_the_ack,
        consumer.consumer_killed_between_the_200_and_the_ack_at_brevo,
        consumer.consumer_whose_time_is_over,
        acks.acks_duplicated_and_reordered,
        acks.acks_handler_down_for_longer_than_a_lease,
        redis.redis_emptied,
        redis.redis_restarted_empty,
        redis.redis_unreachable,
        redis.redis_out_of_memory,
        servers.postgres_restarted,
        servers.postgres_down,
        servers.kafka_down_at_dispatch,
        records.poison_records,
        records.records_twice,
        provider.provider_throttles,
        provider.provider_answers_5xx,
        provider.provider_hangs,
        provider.provider_resets_the_connection,
        provider.provider_takes_it_and_says_nothing,
        provider.provider_is_slow,
        provider.credential_refused_and_mended,
        provider.permanent_refusal,
        people.redriven_twice,
        people.cancel_races_dispatch,
        people.clocks_five_seconds_apart,
    )
}
