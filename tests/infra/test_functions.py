"""Each function is made the same way, is started by what it should be, and may do only what it does."""

import json

import pytest

from infra.functions import FUNCTIONS, SENDERS
from nofy.domain import routing, timing

NAMES = sorted(spec.name for spec in FUNCTIONS)

COMMON = {"NOFY_STAGE", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
ENVIRONMENT = {
    "producer": {"POSTGRES_DSN", "REDIS_URL"},
    "dispatcher": {"POSTGRES_DSN", "REDIS_URL", "KAFKA_BOOTSTRAP", "KAFKA_REPORTS_LAG"},
    "consumer": {"POSTGRES_DSN", "KAFKA_BOOTSTRAP", "SENDER_FUNCTIONS"},
    "sender-slack": {"SLACK_API_URL"},
    "sender-brevo": {"BREVO_API_URL"},
    "sender-whatsapp": {"WHATSAPP_API_URL"},
    "acks": {"POSTGRES_DSN", "REDIS_URL"},
    "dlq": {"POSTGRES_DSN"},
    "reconciler": {"POSTGRES_DSN", "REDIS_URL", "KAFKA_BOOTSTRAP", "KAFKA_REPORTS_LAG"},
    "migrate": {"POSTGRES_DSN"},
    "operator": {"POSTGRES_DSN"},
}

WRITE_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
REPORT_MISSED_TICK = {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
ACTIONS = {
    "dispatcher": REPORT_MISSED_TICK,
    "reconciler": REPORT_MISSED_TICK,
    "consumer": {"lambda:InvokeFunction"},
    **{spec.name: {"kms:Decrypt"} for spec in SENDERS.values()},
}


def test_every_function_of_the_table_is_deployed_and_no_other(local):
    assert sorted(local.functions()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_function_knows_what_it_needs_and_nothing_else(local, name):
    assert set(local.environment(name)) == COMMON | ENVIRONMENT[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_function_may_do_what_it_does_and_nothing_else(local, name):
    assert local.actions(name) == WRITE_LOGS | ACTIONS.get(name, set())


@pytest.mark.parametrize("name", NAMES)
def test_no_permission_is_for_everything(local, name):
    for statement in local.statements(name):
        assert statement["Resource"] != "*", statement


@pytest.mark.parametrize("name", NAMES)
def test_a_function_writes_to_its_own_log_group_which_forgets(local, name):
    logging = local.functions()[name]["Properties"]["LoggingConfig"]
    group = local.resources[logging["LogGroup"]["Ref"]]["Properties"]

    assert group["LogGroupName"] == f"/aws/lambda/nofy-local-{name}"
    assert group["RetentionInDays"] == 1
    assert logging["LogFormat"] == "JSON"


def test_no_two_functions_share_a_role(local):
    roles = [each["Properties"]["Role"]["Fn::GetAtt"][0] for each in local.functions().values()]

    assert len(set(roles)) == len(roles)


def test_each_function_connects_as_its_own_database_role(local):
    roles = {
        name: local.environment(name)["POSTGRES_DSN"].partition("//")[2].partition("@")[0]
        for name in NAMES
        if "POSTGRES_DSN" in ENVIRONMENT[name]
    }

    assert roles == {
        "producer": "api",
        "dispatcher": "pipeline",
        "consumer": "pipeline",
        "acks": "pipeline",
        "dlq": "pipeline",
        "reconciler": "pipeline",
        "migrate": "admin",
        "operator": "operator",
    }


def test_the_consumer_may_invoke_exactly_the_senders_it_knows(local):
    known = json.loads(local.environment("consumer")["SENDER_FUNCTIONS"])
    (grant,) = (each for each in local.statements("consumer") if each["Action"] == "lambda:InvokeFunction")

    assert known == {provider: f"nofy-local-sender-{provider}" for provider in routing.Provider}
    assert {local.name_of(arn) for arn in grant["Resource"]} == {f"sender-{provider}" for provider in known}


def test_functions_live_as_long_as_the_chain_of_timeouts_says(local):
    lifetimes = {name: each["Properties"]["Timeout"] for name, each in local.functions().items()}

    assert lifetimes["consumer"] == timing.CONSUMER_TIMEOUT
    assert lifetimes["dispatcher"] == timing.DISPATCHER_TIMEOUT
    assert {lifetimes[spec.name] for spec in SENDERS.values()} == {timing.SENDER_TIMEOUT}
    assert lifetimes["producer"] <= 29  # API Gateway's longest wait


@pytest.mark.parametrize("name", ["dispatcher", "reconciler"])
def test_the_clock_starts_it_each_minute_and_never_twice_for_one_tick(local, name):
    (schedule,) = (
        each["Properties"]
        for each in local.of_type("AWS::Scheduler::Schedule").values()
        if local.name_of(each["Properties"]["Target"]["Arn"]) == name
    )

    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    assert schedule["Target"]["DeadLetterConfig"]


@pytest.mark.parametrize("name", ["dispatcher", "reconciler"])
def test_lambda_does_not_repeat_or_keep_a_tick(local, name):
    (config,) = (
        each["Properties"]
        for each in local.of_type("AWS::Lambda::EventInvokeConfig").values()
        if local.name_of(each["Properties"]["FunctionName"]) == name
    )

    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)
    assert config["DestinationConfig"]["OnFailure"]["Destination"]


def test_the_key_is_found_by_its_alias(local):
    (alias,) = local.of_type("AWS::KMS::Alias").values()
    (key,) = local.of_type("AWS::KMS::Key").values()

    assert alias["Properties"]["AliasName"] == "alias/nofy-local"
    assert key["Properties"]["EnableKeyRotation"] is True
