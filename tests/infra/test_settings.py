"""A wrong or missing value stops the synth with its name."""

import copy
import json

import aws_cdk as cdk
import pytest

from infra.local_context import UNDEPLOYABLE_CONTEXT, LocalContext, read_local_context
from infra.parsing import SettingsError, parse
from infra.settings import (
    ROOT,
    Settings,
    Stage,
    load_settings,
    read_settings,
    read_stage,
)

CDK_JSON = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
MISSING = object()


def test_each_stage_of_cdk_json_is_complete():
    for name in CDK_JSON["context"]["nofy"]:
        assert isinstance(load_settings(Stage(name)), Settings)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("region", MISSING, "nofy.local.region: missing"),
        ("region", 1, "nofy.local.region: 1 is not of type str"),
        ("colour", "blue", "nofy.local.colour: no such setting"),
        ("api", MISSING, "nofy.local.api: missing"),
        ("api", "fast", "nofy.local.api: 'fast' is not an object"),
        ("api.burst", MISSING, "nofy.local.api.burst: missing"),
        ("api.burst", "10", "nofy.local.api.burst: '10' is not of type int"),
        ("api.burst", True, "nofy.local.api.burst: True is not of type int"),
        ("tracing", 0, "nofy.local.tracing: 0 is not of type bool"),
        ("log_level", "LOUD", "nofy.local.log_level: 'LOUD' is not one of DEBUG, INFO, WARNING, ERROR"),
        ("log_retention", "A_WHILE", "nofy.local.log_retention: 'A_WHILE' is not one of"),
        ("batches.high.size", 0, "nofy.local.batches.high.size: 0 is not between 1 and 10000"),
        (
            "batches.low.window_seconds",
            301,
            "nofy.local.batches.low.window_seconds: 301 is not between 0 and 300",
        ),
        ("reserved_concurrency", {"sender": 1}, "nofy.local.reserved_concurrency: 'sender' is not one of"),
        ("reserved_concurrency", {"acks": "1"}, "nofy.local.reserved_concurrency.acks: '1' is not of type int"),
        ("partitions.acks", 0, "nofy.local.partitions.acks: 0 is not between 1 and 100"),
    ],
)
def test_a_wrong_value_is_named(path, value, complaint):
    with pytest.raises(SettingsError) as caught:
        parse(Settings, _profile_with(path, value), "nofy.local")

    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("cloud.network.zones", 4, "nofy.dev.cloud.network.zones: 4 is not between 2 and 3"),
        ("cloud.network.endpoint_zones", 3, "nofy.dev.cloud.network.endpoint_zones: 3 is not between 1 and 2"),
        ("cloud.kafka.version", "3.9.x", "nofy.dev.cloud.kafka.version: '3.9.x' is not a KRaft version"),
        ("cloud.kafka.replication", 3, "nofy.dev.cloud.kafka.replication: 3 is not between 1 and 2"),
        ("cloud.kafka.min_insync", 3, "nofy.dev.cloud.kafka.min_insync: 3 is not between 1 and 2"),
        ("cloud.kafka.pollers", {"minimum": 2, "maximum": 1}, "nofy.dev.cloud.kafka.pollers.minimum: 2 is not"),
        ("cloud.kafka.brokers", 3, "nofy.dev.cloud.kafka.brokers: 3 is not a multiple of network.zones"),
        ("cloud.postgres.backup_days", 0, "nofy.dev.cloud.postgres.backup_days: 0 is not between 1 and 35"),
        ("cloud.providers.slack_api_url", MISSING, "nofy.dev.cloud.providers.slack_api_url: missing"),
        ("cloud.domain", {"name": "n.example"}, "nofy.dev.cloud.domain.certificate_arn: missing"),
    ],
)
def test_a_wrong_value_of_the_cloud_is_named(path, value, complaint):
    with pytest.raises(SettingsError) as caught:
        parse(Settings, _profile_with(path, value, "dev"), "nofy.dev")

    assert str(caught.value).startswith(complaint)


def _leaves(profile, path=""):
    for name, value in profile.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


# Fields that may be null, or a table whose rows are each an answer of their own.
OPTIONAL = {"account", "cloud.cache.node_type"}


@pytest.mark.parametrize("stage", list(Stage))
def test_whatever_is_missing_from_a_profile_is_named(stage):
    profile = CDK_JSON["context"]["nofy"][stage]
    for path in _leaves(profile):
        if path in OPTIONAL or path.startswith("reserved_concurrency."):
            continue
        with pytest.raises(SettingsError) as caught:
            parse(Settings, _profile_with(path, MISSING, stage), f"nofy.{stage}")
        assert str(caught.value) == f"nofy.{stage}.{path}: missing"


@pytest.mark.parametrize("stage", list(Stage))
def test_whatever_is_of_the_wrong_type_in_a_profile_is_named(stage):
    profile = CDK_JSON["context"]["nofy"][stage]
    for path in _leaves(profile):
        with pytest.raises(SettingsError) as caught:
            parse(Settings, _profile_with(path, 1.5, stage), f"nofy.{stage}")
        assert str(caught.value).startswith(f"nofy.{stage}.{path}: 1.5 is not of type ")


def test_a_stage_of_the_cloud_needs_its_cloud():
    with pytest.raises(SettingsError, match=r"^nofy\.dev\.cloud: belongs to every stage but local"):
        read_settings(_node(nofy={"dev": _profile_with("cloud", MISSING, "dev")}), Stage.DEV)


@pytest.mark.parametrize("stage", [None, "", "production", "Local"])
def test_a_stage_is_named_or_nothing_is_synthesised(stage):
    with pytest.raises(SettingsError, match=r"^stage: .* is not one of local, dev, prod"):
        read_stage(_node(stage=stage))


def test_a_stage_without_a_profile_is_named():
    with pytest.raises(SettingsError, match=r"^nofy\.prod: cdk\.json has no such object"):
        read_settings(_node(nofy={}), Stage.PROD)


def test_the_local_context_is_read_from_its_file(tmp_path):
    path = tmp_path / "context.json"
    path.write_text(json.dumps(_local_context()), encoding="utf-8")

    context = read_local_context(_node(localContext=str(path)))

    assert context.kafka_bootstrap == "127.0.0.1:9092"
    assert context.providers.brevo_api_url == "http://127.0.0.1:8025/brevo/v3"


def test_a_local_context_that_lacks_something_is_refused():
    raw = _local_context()
    del raw["postgres"]["admin_dsn"]

    with pytest.raises(SettingsError, match=r"^localContext\.postgres\.admin_dsn: missing"):
        parse(LocalContext, raw, "localContext")


def test_without_a_local_stack_it_still_synthesises():
    assert read_local_context(_node()) == UNDEPLOYABLE_CONTEXT


def test_references_between_stacks_are_exports():
    """The weak ones of the CDK's recommended flags make templates that cfn-lint refuses (E1022)."""
    assert CDK_JSON["context"]["@aws-cdk/core:defaultCrossStackReferences"] == "strong"


def _node(**context):
    return cdk.App(context={key: value for key, value in context.items() if value is not None}).node


def _profile_with(path, value, stage="local"):
    profile = copy.deepcopy(CDK_JSON["context"]["nofy"][stage])
    *parents, last = path.split(".")
    holder = profile
    for parent in parents:
        holder = holder[parent]
    if value is MISSING:
        del holder[last]
    else:
        holder[last] = value
    return profile


def _local_context():
    return {
        "postgres": {
            "api_dsn": "postgresql://nofy_api@127.0.0.1/nofy",
            "console_dsn": "postgresql://nofy_console@127.0.0.1/nofy",
            "pipeline_dsn": "postgresql://nofy_pipeline@127.0.0.1/nofy",
            "operator_dsn": "postgresql://nofy_operator@127.0.0.1/nofy",
            "admin_dsn": "postgresql://nofy@127.0.0.1/nofy",
        },
        "redis_url": "redis://127.0.0.1:6379/0",
        "kafka_bootstrap": "127.0.0.1:9092",
        "kafka_reports_lag": "true",
        "slack_api_url": "http://127.0.0.1:8025/slack/api",
        "brevo_api_url": "http://127.0.0.1:8025/brevo/v3",
        "whatsapp_api_url": "http://127.0.0.1:8025/whatsapp/v25.0",
        "appwrite_endpoint": "http://127.0.0.1:8025/appwrite/v1",
        "appwrite_project": "nofy-local",
        "console_url": "http://127.0.0.1:8025",
        "layer_path": ".local/build/layer",
    }
