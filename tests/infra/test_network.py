"""Nothing is public but the API and the distribution; what holds data and what reaches the internet never meet."""

import pytest

from infra.functions import FUNCTIONS, SENDERS
from infra.settings import Stage, load_settings
from infra.topology import event_sources

FIXED_EGRESS = {"cloud": {"network": {"fixed_egress": True}}}


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_function_is_in_the_network_when_and_only_when_it_reaches_data(cloud, spec):
    assert ("VpcConfig" in cloud.functions()[spec.name]["Properties"]) == spec.reaches_data


KMS_ACTIONS = ("kms:Decrypt", "kms:Encrypt")


def test_who_asks_the_internet_is_outside_and_everybody_else_inside(cloud):
    outside = {name for name, each in cloud.functions().items() if "VpcConfig" not in each["Properties"]}

    assert outside == {spec.name for spec in SENDERS.values()} | {"session", "keys", "vault"}


def test_only_senders_open_credentials_and_only_the_vault_seals_them(cloud):
    may = {action: {name for name in cloud.functions() if action in cloud.actions(name)} for action in KMS_ACTIONS}

    assert may == {"kms:Decrypt": {spec.name for spec in SENDERS.values()}, "kms:Encrypt": {"vault"}}


def test_only_who_makes_and_who_uses_the_signing_key_reads_it(cloud):
    (secret,) = (key for key in cloud.of_type("AWS::SecretsManager::Secret") if key.startswith("SigningKeys"))
    readers = {
        name
        for name in cloud.functions()
        if any(secret in resource for resource in cloud.granted(name, "secretsmanager:GetSecretValue"))
    }

    assert readers == {"session", "keys"}


def test_inside_s3_is_there_to_be_read_and_in_this_account_alone(cloud):
    (gateway,) = (
        each["Properties"]
        for each in cloud.of_type("AWS::EC2::VPCEndpoint").values()
        if each["Properties"]["VpcEndpointType"] == "Gateway"
    )
    (statement,) = gateway["PolicyDocument"]["Statement"]

    assert statement["Action"] == "s3:GetObject"
    assert "aws:ResourceAccount" in statement["Condition"]["StringEquals"]


@pytest.mark.parametrize("kind", ["NatGateway", "InternetGateway", "EIP"])
def test_the_network_has_no_way_to_the_internet(cloud, kind):
    assert not cloud.of_type(f"AWS::EC2::{kind}")


def test_nothing_may_be_reached_from_anywhere(cloud):
    for rule in _ingress(cloud):
        assert rule.get("CidrIp", "") != "0.0.0.0/0", rule
        assert "CidrIpv6" not in rule


def test_the_aws_apis_in_use_have_an_endpoint(cloud):
    services = {
        str(each["Properties"]["ServiceName"]).rpartition(".")[2].rstrip("'}]")
        for each in cloud.of_type("AWS::EC2::VPCEndpoint").values()
        if each["Properties"]["VpcEndpointType"] == "Interface"
    }

    assert services == {"lambda", "sts", "secretsmanager"}


def test_endpoints_are_in_as_many_zones_as_the_profile_pays_for(cloud):
    for endpoint in cloud.of_type("AWS::EC2::VPCEndpoint").values():
        if endpoint["Properties"]["VpcEndpointType"] == "Interface":
            zones = cloud.settings.cloud.network.endpoint_zones
            assert len(endpoint["Properties"]["SubnetIds"]) == zones


def test_every_bucket_is_private(cloud):
    for name, bucket in cloud.of_type("AWS::S3::Bucket").items():
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}, name


def test_senders_behind_one_address_reach_no_data(synthesised):
    changed = synthesised(Stage.DEV, FIXED_EGRESS)
    groups = {
        name: str(each["Properties"]["VpcConfig"]["SecurityGroupIds"]) for name, each in changed.functions().items()
    }
    senders = {groups[spec.name] for spec in SENDERS.values()}

    assert len(changed.of_type("AWS::EC2::NatGateway")) == len(changed.of_type("AWS::EC2::EIP")) == 1
    assert len(senders) == 1
    assert not senders & {groups[spec.name] for spec in FUNCTIONS if spec.reaches_data}


@pytest.mark.parametrize("stage", [Stage.DEV, Stage.PROD])
def test_whoever_may_connect_to_postgres_finds_a_connection(stage):
    """RDS keeps 3 for its superuser and needs a few of its own; a function opens one connection at a time.

    A mapping runs at most one consumer per partition. Without a reservation, the producers are bounded by the API's
    burst: a request that takes a second holds its connection as long.
    """
    settings = load_settings(stage)
    consumers = sum(source.partitions for source in event_sources(settings))
    producers = settings.reserved_concurrency.get("producer", settings.api.burst)
    # Two runs of a clock's function overlap; the migrator and the operator come one at a time.
    others = 2 + 2 + 1 + 1

    assert consumers + producers + others <= settings.cloud.postgres.max_connections - 15


def _ingress(deployed):
    for group in deployed.of_type("AWS::EC2::SecurityGroup").values():
        yield from group["Properties"].get("SecurityGroupIngress", [])
    for rule in deployed.of_type("AWS::EC2::SecurityGroupIngress").values():
        yield rule["Properties"]
