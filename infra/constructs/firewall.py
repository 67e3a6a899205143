"""AWS WAF in front of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import aws_apigateway as apigateway

# Requests of one address in five minutes. Batches make a client's legitimate rate low; tokens have limits too.
RATE_LIMIT = 20_000

# Sign-ins of one address in five minutes: an office behind one address signs in once for each person and quarter of an
# hour; whoever tries stolen proofs by the thousand is stopped before AppWrite is asked about each.
SIGN_IN_LIMIT = 500
SIGN_IN_PATH = "/v1/session"

# Not the common rule set: it takes e-mail HTML for cross-site scripting, and refuses bodies over 8 KB.
MANAGED_RULES = ("AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet")


class Firewall(Construct):
    """Known attackers and floods are refused before they cost an invocation."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: apigateway.Stage) -> None:
        super().__init__(scope, construct_id)
        rules = [_rate_rule("Flood", 0, RATE_LIMIT), _rate_rule("SignIn", 1, SIGN_IN_LIMIT, SIGN_IN_PATH)]
        rules += [_managed_rule(name, priority) for priority, name in enumerate(MANAGED_RULES, start=len(rules))]
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility("Api"),
            rules=rules,
        )
        wafv2.CfnWebACLAssociation(self, "Association", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)


def _rate_rule(name: str, priority: int, limit: int, path: str | None = None) -> wafv2.CfnWebACL.RuleProperty:
    """So many requests of one address in five minutes; to ``path`` alone, where there is one."""
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        action=wafv2.CfnWebACL.RuleActionProperty(block={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=limit, scope_down_statement=_ends_in(path) if path else None
            )
        ),
        visibility_config=_visibility(name),
    )


def _ends_in(path: str) -> wafv2.CfnWebACL.StatementProperty:
    """The stage's name stands before it."""
    decoded = wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="URL_DECODE")
    return wafv2.CfnWebACL.StatementProperty(
        byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(uri_path={}),
            positional_constraint="ENDS_WITH",
            search_string=path,
            text_transformations=[decoded],
        )
    )


def _managed_rule(name: str, priority: int) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(vendor_name="AWS", name=name)
        ),
        visibility_config=_visibility(name),
    )


def _visibility(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, sampled_requests_enabled=True, metric_name=metric
    )
