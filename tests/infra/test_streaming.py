"""Topic -> function -> dead letter -> alarm -> permission, for every topic there is."""

import pytest

from infra import topology
from infra.settings import Stage
from infra.topology import OnFailure
from nofy.domain import routing

PROVISIONED_ONLY = {
    "BisectBatchOnFunctionError",
    "FunctionResponseTypes",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "ProvisionedPollerConfig",
}


@pytest.fixture(params=routing.TOPICS)
def topic(request):
    return request.param


def source_of(deployed, topic):
    return next(each for each in topology.event_sources(deployed.settings) if each.topic == topic)


def test_the_topic_exists_as_the_topology_says(cloud, topic):
    (made,) = (
        each["Properties"]
        for each in cloud.of_type("AWS::MSK::Topic").values()
        if each["Properties"]["TopicName"] == topic
    )

    assert made["PartitionCount"] == source_of(cloud, topic).partitions
    assert made["ReplicationFactor"] == cloud.settings.cloud.kafka.replication


def test_no_topic_is_made_beside_the_topology(cloud):
    assert {each["Properties"]["TopicName"] for each in cloud.of_type("AWS::MSK::Topic").values()} == set(
        routing.TOPICS
    )


def test_topics_are_made_one_after_another(cloud):
    topics = cloud.of_type("AWS::MSK::Topic").values()

    assert sum("DependsOn" not in each for each in topics) == 1


def test_the_topic_is_read_by_its_function_as_its_group(cloud, topic):
    source, mapping = source_of(cloud, topic), cloud.mapping_of(topic)

    assert cloud.name_of(mapping["FunctionName"]) == source.function
    assert mapping["AmazonManagedKafkaEventSourceConfig"]["ConsumerGroupId"] == source.group
    assert mapping["BatchSize"] == source.batch.size
    assert mapping["MaximumBatchingWindowInSeconds"] == source.batch.window_seconds
    assert mapping["StartingPosition"] == "TRIM_HORIZON"


def test_what_keeps_failing_has_somewhere_to_go(cloud, topic):
    expected = {OnFailure.NOWHERE: None, OnFailure.BUCKET: "bucket", OnFailure.TOPIC: "topic"}
    source = source_of(cloud, topic)
    wanted = expected[source.on_failure]
    if cloud.stage is Stage.DEV and wanted == "topic":
        wanted = "bucket"  # on-demand pollers write to no topic

    assert _destination(cloud.mapping_of(topic)) == wanted


def test_the_function_may_read_the_topic_as_that_group(cloud, topic):
    source = source_of(cloud, topic)

    assert _named(cloud.granted(source.function, "kafka-cluster:ReadData"), topic)
    assert _named(cloud.granted(source.function, "kafka-cluster:AlterGroup"), source.group)


def test_a_topic_that_is_read_too_slowly_raises_an_alarm(cloud, topic):
    source = source_of(cloud, topic)
    watched = [
        each["Properties"]
        for each in cloud.of_type("AWS::CloudWatch::Alarm").values()
        if {"Name": "Topic", "Value": topic} in each["Properties"].get("Dimensions", [])
    ]

    assert len(watched) == 1
    assert {"Name": "Consumer Group", "Value": source.group} in watched[0]["Dimensions"]
    assert watched[0]["AlarmActions"]


def test_on_demand_pollers_are_given_nothing_they_do_not_take(dev, topic):
    assert not PROVISIONED_ONLY & set(dev.mapping_of(topic))


def test_provisioned_pollers_bound_their_retries_and_share_a_group(prod, topic):
    mapping = prod.mapping_of(topic)

    assert mapping["ProvisionedPollerConfig"]["PollerGroupName"] == "nofy-prod"
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["MaximumRetryAttempts"] == source_of(prod, topic).retry_attempts


def test_producers_may_write_to_the_topics_they_write_to_and_no_other(cloud):
    deliveries = {lane.topic for lane in routing.LANES}
    failures = {routing.ESM_FAILURES_TOPIC} if cloud.stage is Stage.PROD else set()

    assert _written(cloud, "dispatcher") == deliveries
    assert _written(cloud, "reconciler") == {routing.ACKS_TOPIC}
    assert _written(cloud, "consumer") == {routing.ACKS_TOPIC, routing.DLQ_TOPIC} | failures


@pytest.mark.parametrize("function", ["dispatcher", "reconciler"])
def test_who_watches_a_lane_may_ask_for_its_group_and_its_topic(cloud, function):
    """Kafka leaves out offsets of topics that the asker may not describe: the reconciler would heal nothing."""
    groups = cloud.granted(function, "kafka-cluster:DescribeGroup")
    topics = cloud.granted(function, "kafka-cluster:DescribeTopic")

    for lane in routing.LANES:
        assert _named(groups, lane.group)
        assert _named(topics, lane.topic)


def test_the_cluster_takes_nothing_unencrypted_and_nobody_unknown(cloud):
    (cluster,) = (each["Properties"] for each in cloud.of_type("AWS::MSK::Cluster").values())

    assert cluster["ClientAuthentication"] == {
        "Sasl": {"Iam": {"Enabled": True}},
        "Unauthenticated": {"Enabled": False},
    }
    assert cluster["EncryptionInfo"]["EncryptionInTransit"] == {"ClientBroker": "TLS", "InCluster": True}


def test_a_record_counts_as_written_when_enough_brokers_have_it(dev, prod):
    assert "min.insync.replicas=1\n" in _server_properties(dev)
    assert "min.insync.replicas=2\n" in _server_properties(prod)


def test_the_cluster_has_room_for_the_largest_record(cloud):
    assert "message.max.bytes=2097152\n" in _server_properties(cloud)
    assert "auto.create.topics.enable=false\n" in _server_properties(cloud)


def test_the_schema_is_migrated_before_anything_is_consumed(cloud):
    (trigger,) = (key for key in cloud.of_type("Custom::Trigger") if key.startswith("Migration"))

    for mapping in cloud.of_type("AWS::Lambda::EventSourceMapping").values():
        assert trigger in mapping["DependsOn"]


def _destination(mapping):
    target = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if target is None:
        return None
    return "topic" if target == f"kafka://{routing.ESM_FAILURES_TOPIC}" else "bucket"


def _named(resources, name):
    return any(resource.endswith(f"/{name}") for resource in resources)


def _written(deployed, function):
    return {arn.rpartition("/")[2] for arn in deployed.granted(function, "kafka-cluster:WriteData")}


def _server_properties(deployed):
    (configuration,) = deployed.of_type("AWS::MSK::Configuration").values()
    return configuration["Properties"]["ServerProperties"]
