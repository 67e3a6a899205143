from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from infra.local_context import LocalContext
from infra.parsing import parse
from local.choices import KafkaKind
from local.stack import SettingsError, Stack, asked_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack.from_environment({"NOFY_LOCAL_DIR": str(tmp_path), "KAFKA": "tansu", "PORT_INBOX": "8025"})


def test_a_saved_stack_is_loaded_as_it_was(stack: Stack):
    stack.save()
    assert Stack.load(stack.directory) == stack


def test_the_description_is_for_its_owners_eyes_only(stack: Stack):
    stack.save()
    mode = (stack.directory / "description.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_description_cut_short_by_a_kill_is_no_stack(stack: Stack):
    stack.save()
    path = stack.directory / "description.json"
    path.write_text(path.read_text()[:100])
    assert Stack.load(stack.directory) is None


def test_where_nothing_was_brought_up_there_is_no_stack(tmp_path: Path):
    assert Stack.load(tmp_path) is None


def test_the_cdk_app_understands_the_context(stack: Stack):
    assert parse(LocalContext, json.loads(json.dumps(stack.context)), "localContext").redis_url == stack.redis_url


def test_the_senders_find_the_simulators(stack: Stack):
    assert stack.providers.slack == "http://127.0.0.1:8025/slack/api"
    assert stack.providers.brevo == "http://127.0.0.1:8025/brevo/v3"
    assert stack.providers.whatsapp == "http://127.0.0.1:8025/whatsapp/v25.0"


def test_a_sender_is_pointed_elsewhere_by_its_variable(tmp_path: Path):
    stack = Stack.from_environment(
        {"NOFY_LOCAL_DIR": str(tmp_path), "KAFKA": "tansu", "BREVO_API_URL": "http://127.0.0.1:9/v3"}
    )
    assert stack.context["brevo_api_url"] == "http://127.0.0.1:9/v3"
    assert stack.context["slack_api_url"] == "http://127.0.0.1:18025/slack/api"


def test_every_role_has_a_password_of_its_own(stack: Stack):
    dsns = stack.postgres_dsns.values()
    assert len({dsn.split("@")[0] for dsn in dsns}) == 5
    assert len({dsn.split("@")[0].rpartition(":")[2] for dsn in dsns}) == 5


def test_tansus_lag_is_not_to_be_trusted(stack: Stack):
    assert stack.context["kafka_reports_lag"] == "false"


def test_an_external_kafka_needs_an_address(tmp_path: Path):
    with pytest.raises(SettingsError, match="KAFKA_BOOTSTRAP"):
        Stack.from_environment({"NOFY_LOCAL_DIR": str(tmp_path), "KAFKA": "external"})


def test_an_external_kafka_takes_none_of_our_ports(tmp_path: Path):
    stack = Stack.from_environment(
        {"NOFY_LOCAL_DIR": str(tmp_path), "KAFKA": "external", "KAFKA_BOOTSTRAP": "broker:9092"}
    )
    assert stack.kafka is KafkaKind.EXTERNAL
    assert stack.kafka_bootstrap == "broker:9092"
    assert stack.parts == {"postgres", "redis", "aws", "inbox", "dashboard"}


def test_what_was_asked_for_is_kept_and_nothing_else_of_the_environment():
    assert asked_of({"PORT_AWS": "1", "KAFKA": "", "HOME": "/root"}) == {"PORT_AWS": "1"}
