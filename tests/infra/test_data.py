"""What holds data is encrypted, asks who is there, and is not deleted by mistake where it matters."""

from collections import Counter

import pytest

from infra.functions import FUNCTIONS, PostgresRole
from infra.settings import Stage


def test_the_database_is_private_encrypted_and_backed_up(cloud):
    (database,) = (each["Properties"] for each in cloud.of_type("AWS::RDS::DBInstance").values())

    assert database["PubliclyAccessible"] is False
    assert database["StorageEncrypted"] is True
    assert database["EnableIAMDatabaseAuthentication"] is True
    assert database["ManageMasterUserPassword"] is True
    assert database["BackupRetentionPeriod"] == cloud.settings.cloud.postgres.backup_days
    assert str(database["EngineVersion"]).startswith("18")


def test_no_connection_string_has_a_password(cloud):
    for spec in FUNCTIONS:
        dsn = str(cloud.environment(spec.name).get("POSTGRES_DSN", ""))
        user = dsn.partition("postgresql://")[2].partition("@")[0]
        assert ":" not in user
        assert not dsn or "sslmode=verify-full" in dsn


@pytest.mark.parametrize("spec", [each for each in FUNCTIONS if each.postgres], ids=lambda spec: spec.name)
def test_a_function_may_connect_as_its_own_role_only(cloud, spec):
    allowed = {arn.rpartition("/")[2] for arn in cloud.granted(spec.name, "rds-db:connect")}

    assert allowed == (set() if spec.postgres is PostgresRole.ADMIN else {f"nofy_{spec.postgres}"})


def test_only_the_migrator_reads_the_owners_password(cloud):
    inside = {name for name, each in cloud.functions().items() if "VpcConfig" in each["Properties"]}
    readers = {name for name in inside if "secretsmanager:GetSecretValue" in cloud.actions(name)}

    assert readers == {"migrate"}


def test_the_cache_is_encrypted_and_knows_its_users(dev, prod):
    (serverless,) = (each["Properties"] for each in dev.of_type("AWS::ElastiCache::ServerlessCache").values())
    (replicated,) = (each["Properties"] for each in prod.of_type("AWS::ElastiCache::ReplicationGroup").values())

    assert serverless["UserGroupId"]
    assert replicated["UserGroupIds"]
    assert replicated["TransitEncryptionEnabled"] is True
    assert replicated["AtRestEncryptionEnabled"] is True
    assert replicated["AutomaticFailoverEnabled"] is True


def test_what_a_cache_user_may_touch_are_our_keys(cloud):
    (user,) = (each["Properties"] for each in cloud.of_type("AWS::ElastiCache::User").values())

    assert user["AuthenticationMode"] == {"Type": "iam"}
    assert user["UserId"] == user["UserName"]  # IAM asks for it
    assert "~nofy:*" in user["AccessString"]
    assert "-@dangerous" in user["AccessString"]


def test_in_prod_stateful_stacks_are_protected_and_keep_their_data(prod):
    assert prod.protected == {"nofy-prod-data", "nofy-prod-streaming"}
    assert _policies(prod, "AWS::RDS::DBInstance") == {"Snapshot"}
    assert _policies(prod, "AWS::MSK::Cluster") == {"Retain"}


def test_a_stage_for_trying_out_goes_when_it_is_told_to(dev):
    assert dev.protected == set()
    assert _policies(dev, "AWS::RDS::DBInstance") == {"Delete"}
    assert _policies(dev, "AWS::MSK::Cluster") == {"Delete"}


def test_only_prod_has_a_proxy_and_only_the_migrator_goes_round_it(dev, prod):
    proxied = {name for name in prod.functions() if "Proxy" in str(prod.environment(name).get("POSTGRES_DSN", ""))}

    assert not dev.of_type("AWS::RDS::DBProxy")
    assert proxied == {each.name for each in FUNCTIONS if each.postgres} - {"migrate"}


def test_the_proxy_signs_in_as_whoever_comes_through_it(prod):
    (proxy,) = (each["Properties"] for each in prod.of_type("AWS::RDS::DBProxy").values())
    role = proxy["RoleArn"]["Fn::GetAtt"][0]
    users = {
        prod.text(resource).rpartition("/")[2]
        for policy in prod.of_type("AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Properties"]["Roles"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for resource in statement["Resource"]
    }

    assert users == {"nofy_api", "nofy_console", "nofy_pipeline", "nofy_operator"}


def test_no_security_group_is_given_the_same_rule_twice(cloud):
    """EC2 refuses the second one, and the CDK adds some rules by itself (the proxy's)."""
    rules = [
        (each["Properties"].get("GroupId"), each["Properties"].get("SourceSecurityGroupId"))
        for each in cloud.of_type("AWS::EC2::SecurityGroupIngress").values()
        if "FromPort" in each["Properties"]
    ]
    counted = Counter(map(str, rules))

    assert [rule for rule, times in counted.items() if times > 1] == []


def test_stages_share_no_name(dev, prod):
    assert not set(dev.stacks) & set(prod.stacks)
    assert {dev.stage, prod.stage} == {Stage.DEV, Stage.PROD}


def _policies(deployed, kind):
    return {each["DeletionPolicy"] for each in deployed.of_type(kind).values()}
