"""Each function is made the same way, is started by what it should be, and may do only what it does."""

import json

import pytest

from infra.functions import FUNCTIONS, SENDERS
from infra.settings import Stage
from nofy.domain import routing, timing

NAMES = sorted(spec.name for spec in FUNCTIONS)
SENDER_NAMES = {spec.name for spec in SENDERS.values()}

COMMON = {"NOFY_STAGE", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
POSTGRES, REDIS = {"POSTGRES_DSN"}, {"REDIS_URL"}
KAFKA, LAG = {"KAFKA_BOOTSTRAP"}, {"KAFKA_REPORTS_LAG"}
VERIFYING = {"CONSOLE_ISSUER", "SIGNING_KEYS_BUCKET"}
ENVIRONMENT = {
    "producer": POSTGRES | REDIS | VERIFYING,
    "console": POSTGRES | REDIS | VERIFYING | {"VAULT_FUNCTION"},
    "session": {"CONSOLE_ISSUER", "SIGNING_SECRET_ARN"},
    "keys": {"SIGNING_SECRET_ARN", "SIGNING_KEYS_BUCKET"},
    "vault": {"SLACK_API_URL", "BREVO_API_URL", "WHATSAPP_API_URL", "CREDENTIALS_KEY_ID"},
    "dispatcher": POSTGRES | REDIS | KAFKA | LAG | {"TARGET_LAG"},
    "consumer": POSTGRES | REDIS | KAFKA | {"SENDER_FUNCTIONS"},
    "sender-slack": {"SLACK_API_URL"},
    "sender-brevo": {"BREVO_API_URL"},
    "sender-whatsapp": {"WHATSAPP_API_URL"},
    "acks": POSTGRES | REDIS,
    "dlq": POSTGRES,
    "reconciler": POSTGRES | REDIS | KAFKA | LAG,
    "migrate": POSTGRES,
    "operator": POSTGRES,
}
# The profiles for the cloud name no sign-in: that is for whoever deploys to say.
ON_ONE_MACHINE = {
    "producer": {"CORS_ORIGINS"},
    "console": {"CORS_ORIGINS", "CONSOLE_URL"},
    "session": {"CORS_ORIGINS", "APPWRITE_ENDPOINT", "APPWRITE_PROJECT"},
}
# What comes with an address in the cloud: how to sign in there.
SIGN_IN = {
    "POSTGRES_DSN": {"POSTGRES_AUTH"},
    "REDIS_URL": {"REDIS_AUTH", "REDIS_CACHE_NAME", "REDIS_SERVERLESS"},
    "KAFKA_BOOTSTRAP": {"KAFKA_AUTH"},
}

WRITE_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
REPORT_MISSED_TICK = {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
READ_SECRET = {"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}
EVERYWHERE = {
    "dispatcher": REPORT_MISSED_TICK,
    "reconciler": REPORT_MISSED_TICK,
    "consumer": {"lambda:InvokeFunction"},
    "producer": {"s3:GetObject"},
    "console": {"s3:GetObject", "lambda:InvokeFunction"},
    "session": READ_SECRET,
    "keys": READ_SECRET
    | {"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret"}
    | {"secretsmanager:UpdateSecretVersionStage", "s3:GetObject", "s3:PutObject"},
    "vault": {"kms:Encrypt"},
    **{name: {"kms:Decrypt"} for name in SENDER_NAMES},
}

ATTACH = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
CONNECT_POSTGRES, CONNECT_REDIS = {"rds-db:connect"}, {"elasticache:Connect"}
PRODUCE = {f"kafka-cluster:{each}" for each in ("Connect", "WriteDataIdempotently", "DescribeTopic", "WriteData")}
WATCH = {"kafka-cluster:DescribeGroup"}
# The last three are the CDK's: its pollers look the brokers up.
CONSUME = {"kafka:DescribeCluster", "kafka:GetBootstrapBrokers", "kafka:ListScramSecrets"} | {
    f"kafka-cluster:{each}"
    for each in (
        "Connect",
        "DescribeClusterDynamicConfiguration",
        "DescribeGroup",
        "AlterGroup",
        "DescribeTopic",
        "ReadData",
    )
}
SAVE_FAILED_BATCH = {"s3:ListBucket", "s3:PutObject"}
IN_THE_CLOUD = {
    "producer": ATTACH | CONNECT_POSTGRES | CONNECT_REDIS,
    "console": ATTACH | CONNECT_POSTGRES | CONNECT_REDIS,
    "dispatcher": ATTACH | CONNECT_POSTGRES | CONNECT_REDIS | PRODUCE | WATCH,
    "consumer": ATTACH | CONNECT_POSTGRES | CONNECT_REDIS | PRODUCE | CONSUME,
    "acks": ATTACH | CONNECT_POSTGRES | CONNECT_REDIS | CONSUME,
    "dlq": ATTACH | CONNECT_POSTGRES | CONSUME | SAVE_FAILED_BATCH,
    "reconciler": ATTACH | CONNECT_POSTGRES | CONNECT_REDIS | PRODUCE | WATCH,
    "migrate": ATTACH | READ_SECRET,
    "operator": ATTACH | CONNECT_POSTGRES,
}
# On demand, a batch that keeps crashing the consumer goes to the bucket; provisioned pollers have a topic for it.
IN_DEV = {"consumer": SAVE_FAILED_BATCH}


def test_every_function_of_the_table_is_deployed_and_no_other(deployed):
    assert sorted(deployed.functions()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_function_knows_what_it_needs_and_nothing_else(deployed, name):
    expected = COMMON | ENVIRONMENT[name]
    if deployed.stage is Stage.LOCAL:
        expected |= ON_ONE_MACHINE.get(name, set())
    else:
        expected |= {more for address in ENVIRONMENT[name] for more in SIGN_IN.get(address, set())}
        expected |= {"POSTGRES_SECRET_ARN"} if name == "migrate" else set()

    assert set(deployed.environment(name)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_function_may_do_what_it_does_and_nothing_else(deployed, name):
    expected = WRITE_LOGS | EVERYWHERE.get(name, set())
    if deployed.stage is not Stage.LOCAL:
        expected |= TRACE | IN_THE_CLOUD.get(name, set())
    if deployed.stage is Stage.DEV:
        expected |= IN_DEV.get(name, set())

    assert deployed.actions(name) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_permission_names_its_resource_unless_none_can_be_named(deployed, name):
    for action in deployed.actions(name) - ATTACH - TRACE:
        assert "*" not in deployed.granted(name, action), action


@pytest.mark.parametrize("name", NAMES)
def test_a_function_writes_to_its_own_log_group_which_forgets(deployed, name):
    logging = deployed.functions()[name]["Properties"]["LoggingConfig"]
    group = deployed.resources[logging["LogGroup"]["Ref"]]["Properties"]

    assert group["LogGroupName"] == f"/aws/lambda/nofy-{deployed.stage}-{name}"
    assert group["RetentionInDays"] == {"local": 1, "dev": 7, "prod": 90}[deployed.stage]
    assert logging["LogFormat"] == "JSON"


@pytest.mark.parametrize("name", NAMES)
def test_a_function_runs_where_and_as_it_was_built_for(deployed, name):
    function = deployed.functions()[name]["Properties"]

    assert (function["Runtime"], function["Architectures"]) == ("python3.14", ["arm64"])
    assert function["Handler"] == "handler.handler"
    assert len(function["Layers"]) == (1 if deployed.stage is Stage.LOCAL else 3)


def test_no_two_functions_share_a_role(deployed):
    roles = [each["Properties"]["Role"]["Fn::GetAtt"][0] for each in deployed.functions().values()]

    assert len(set(roles)) == len(roles)


def test_each_function_connects_as_its_own_database_role(local):
    roles = {
        name: local.environment(name)["POSTGRES_DSN"].partition("//")[2].partition("@")[0]
        for name in NAMES
        if "POSTGRES_DSN" in ENVIRONMENT[name]
    }

    assert roles == {
        "producer": "api",
        "console": "console",
        "dispatcher": "pipeline",
        "consumer": "pipeline",
        "acks": "pipeline",
        "dlq": "pipeline",
        "reconciler": "pipeline",
        "migrate": "admin",
        "operator": "operator",
    }


def test_the_consumer_may_invoke_exactly_the_senders_it_knows(deployed):
    known = json.loads(deployed.environment("consumer")["SENDER_FUNCTIONS"])
    allowed = deployed.granted("consumer", "lambda:InvokeFunction")

    assert known == {provider: f"nofy-{deployed.stage}-sender-{provider}" for provider in routing.Provider}
    assert allowed == {f"${{{deployed.logical_id(f'sender-{provider}')}.Arn}}" for provider in known}


def test_functions_live_as_long_as_the_chain_of_timeouts_says(deployed):
    lifetimes = {name: each["Properties"]["Timeout"] for name, each in deployed.functions().items()}

    assert lifetimes["consumer"] == timing.CONSUMER_TIMEOUT
    assert lifetimes["dispatcher"] == timing.DISPATCHER_TIMEOUT
    assert {lifetimes[name] for name in SENDER_NAMES} == {timing.SENDER_TIMEOUT}
    assert lifetimes["producer"] <= 29  # API Gateway's longest wait


@pytest.mark.parametrize("name", ["dispatcher", "reconciler"])
def test_the_clock_starts_it_each_minute_and_never_twice_for_one_tick(deployed, name):
    (schedule,) = (
        each["Properties"]
        for each in deployed.of_type("AWS::Scheduler::Schedule").values()
        if deployed.name_of(each["Properties"]["Target"]["Arn"]) == name
    )

    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    assert schedule["Target"]["DeadLetterConfig"]


@pytest.mark.parametrize("name", ["dispatcher", "reconciler"])
def test_lambda_does_not_repeat_or_keep_a_tick(deployed, name):
    (config,) = (
        each["Properties"]
        for each in deployed.of_type("AWS::Lambda::EventInvokeConfig").values()
        if deployed.name_of(each["Properties"]["FunctionName"]) == name
    )

    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)
    assert config["DestinationConfig"]["OnFailure"]["Destination"]


def test_the_key_is_found_by_its_alias_and_stays_where_data_stays(deployed):
    (alias,) = deployed.of_type("AWS::KMS::Alias").values()
    (key,) = deployed.of_type("AWS::KMS::Key").values()

    assert alias["Properties"]["AliasName"] == f"alias/nofy-{deployed.stage}"
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == ("Retain" if deployed.stage is Stage.PROD else "Delete")


def test_concurrency_is_reserved_where_the_account_has_enough_of_it(dev, prod):
    def reserved(deployed):
        return {
            name: each["Properties"]["ReservedConcurrentExecutions"]
            for name, each in deployed.functions().items()
            if "ReservedConcurrentExecutions" in each["Properties"]
        }

    assert reserved(dev) == {}
    assert reserved(prod) == prod.settings.reserved_concurrency
