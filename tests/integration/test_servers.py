"""The throw-away servers that other tests stand on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg2
import pytest
import redis
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from local import artefacts, kafka_broker, servers, topics
from local.choices import KafkaKind, chosen_kafka

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def one(dsn: str, query: str) -> object:
    connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]
    finally:
        connection.close()


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.postgres(tmp_path_factory.mktemp("servers")) as dsn:
        yield dsn


def test_postgresql_is_the_version_we_deploy(dsn: str):
    assert str(one(dsn, "SHOW server_version")).startswith("18.")


def test_the_owner_is_no_superuser_as_on_rds(dsn: str):
    assert one(dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert one(servers.superuser_dsn(dsn), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True


def test_a_commit_is_on_the_disk(dsn: str):
    assert one(dsn, "SHOW fsync") == "on"


def test_a_wrong_password_is_refused(dsn: str):
    wrong = dsn.replace("nofy_admin:", "nofy_admin:x", 1)
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(wrong)


def test_postgresql_starts_below_a_folder_closed_to_others(tmp_path: Path):
    """As root the server runs as another user, who cannot get in there."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with servers.postgres(closed) as dsn:
        assert one(dsn, "SELECT 1") == 1
    assert list(closed.iterdir()) == []


def test_redis_is_new_enough_and_goes_with_its_data(tmp_path: Path):
    with servers.redis(tmp_path) as url, redis.Redis.from_url(url) as client:
        version = client.info("server")["redis_version"].split(".")
        assert [int(version[0]), int(version[1])] >= [6, 2]
        assert client.zadd("z", {"a": 1}, gt=True) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [KafkaKind.APACHE, KafkaKind.TANSU])
def test_kafka_keeps_what_was_produced(tmp_path: Path, kind: KafkaKind):
    program = {KafkaKind.TANSU: artefacts.TANSU, KafkaKind.APACHE: artefacts.KAFKA_JARS}[kind]
    if kind is not chosen_kafka(os.environ) and not program.exists():
        pytest.skip(f"make setup KAFKA={kind} was not run here")
    with servers.kafka(tmp_path, kind) as bootstrap:
        kafka_broker.create_topics(bootstrap, topics.local_topics())
        kafka_broker.create_topics(bootstrap, topics.local_topics())
        large = b"x" * 2_000_000
        producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=3_000_000)
        producer.send("nofy.dlq.v1", value=large).get(timeout=10)
        producer.close()
        consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
        consumer.assign([TopicPartition("nofy.dlq.v1", 0)])
        fetched = [record for batch in consumer.poll(timeout_ms=10_000).values() for record in batch]
        consumer.close()
        assert [record.value for record in fetched] == [large]
    assert list(tmp_path.iterdir()) == []
