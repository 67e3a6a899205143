"""One origin for people and programs, and an alarm with a page for each way the pipeline fails."""

import pytest

from infra.postgres_logs import POSTGRES_LOGS

ALARMS = {
    "lost",
    "lateness",
    "oldest-queued",
    "dead-letters",
    "integration-held",
    "consumer-lag",
    "dispatcher-not-running",
    "reconciler-not-running",
    "missed-ticks",
    "error-rate",
    "function-errors",
    "quotas-open",
    "audit-unwritten",
}


def test_the_api_is_behind_the_distribution_and_never_cached(cloud):
    (distribution,) = cloud.of_type("AWS::CloudFront::Distribution").values()
    (behaviour,) = distribution["Properties"]["DistributionConfig"]["CacheBehaviors"]

    assert behaviour["PathPattern"] == "/v1/*"
    assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # AWS's CachingDisabled
    # AllViewerExceptHostHeader: with the viewer's Host, API Gateway would look for another API
    assert behaviour["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert "POST" in behaviour["AllowedMethods"]


def test_no_error_of_the_api_is_turned_into_the_page(cloud):
    (distribution,) = cloud.of_type("AWS::CloudFront::Distribution").values()

    assert "CustomErrorResponses" not in distribution["Properties"]["DistributionConfig"]


def test_the_files_are_read_by_the_distribution_only(cloud):
    assert len(cloud.of_type("AWS::CloudFront::OriginAccessControl")) == 1


def test_prod_has_a_firewall_that_lets_mail_through(dev, prod):
    (acl,) = prod.of_type("AWS::WAFv2::WebACL").values()
    managed = [
        rule["Statement"]["ManagedRuleGroupStatement"]["Name"]
        for rule in acl["Properties"]["Rules"]
        if "ManagedRuleGroupStatement" in rule["Statement"]
    ]

    assert not dev.of_type("AWS::WAFv2::WebACL")
    assert prod.of_type("AWS::WAFv2::WebACLAssociation")
    assert managed
    assert "AWSManagedRulesCommonRuleSet" not in managed  # it takes HTML for an attack and stops at 8 KB


def test_sign_ins_of_one_address_are_bounded_apart_from_everything_else(prod):
    (acl,) = prod.of_type("AWS::WAFv2::WebACL").values()
    rules = acl["Properties"]["Rules"]
    bounded = {
        each["Name"]: each["Statement"]["RateBasedStatement"] for each in rules if "Block" in each.get("Action", {})
    }

    assert bounded.keys() == {"Flood", "SignIn"}
    assert "ScopeDownStatement" not in bounded["Flood"]
    assert bounded["SignIn"]["ScopeDownStatement"]["ByteMatchStatement"]["SearchString"] == "/v1/session"
    assert len({each["Priority"] for each in rules}) == len(rules)


def test_postgresql_writes_no_statement_and_no_row_into_its_log(cloud):
    (group,) = cloud.of_type("AWS::RDS::DBParameterGroup").values()
    (instance,) = cloud.of_type("AWS::RDS::DBInstance").values()

    assert instance["Properties"]["DBParameterGroupName"]["Ref"] in cloud.of_type("AWS::RDS::DBParameterGroup")
    assert group["Properties"]["Parameters"] == POSTGRES_LOGS


def test_access_logs_hold_no_token(cloud):
    (stage,) = cloud.of_type("AWS::ApiGateway::Stage").values()

    assert "header" not in stage["Properties"]["AccessLogSetting"]["Format"].lower()


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_each_way_to_fail_has_its_alarm(cloud, alarm):
    names = {each["Properties"]["AlarmName"] for each in cloud.of_type("AWS::CloudWatch::Alarm").values()}

    assert any(name.startswith(f"nofy-{cloud.stage}-{alarm}") for name in names)


def test_every_alarm_tells_somebody_and_says_where_to_read_on(cloud):
    for alarm in cloud.of_type("AWS::CloudWatch::Alarm").values():
        page = alarm["Properties"]["AlarmDescription"].partition("docs/runbooks/")[2]
        assert page.removesuffix(".md") in ALARMS
        assert alarm["Properties"]["AlarmActions"]


def test_a_clock_that_stopped_is_noticed_by_its_silence(cloud):
    for alarm in cloud.of_type("AWS::CloudWatch::Alarm").values():
        silence = alarm["Properties"]["TreatMissingData"]
        stopped = alarm["Properties"]["AlarmName"].endswith("-not-running")
        assert silence == ("breaching" if stopped else "notBreaching")
