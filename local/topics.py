"""The topics of a stack, with the partitions and sizes that the CDK app gives them in stage ``local``."""

from __future__ import annotations

from kafka.admin import NewTopic

from infra.settings import Stage, load_settings
from infra.topology import Topic, topics


def local_topics() -> list[NewTopic]:
    return [_new_topic(topic) for topic in topics(load_settings(Stage.LOCAL))]


def _new_topic(topic: Topic) -> NewTopic:
    largest = topic.max_message_bytes
    configs = {} if largest is None else {"max.message.bytes": str(largest)}
    return NewTopic(topic.name, num_partitions=topic.partitions, replication_factor=1, topic_configs=configs)
