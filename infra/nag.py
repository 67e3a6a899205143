"""cdk-nag's AwsSolutions rules at synth, and the findings we live with, each with its reason where it arises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_
    from constructs import IConstruct


def check(app: cdk.App) -> None:
    """Makes ``synth`` fail on a finding that nobody acknowledged. Imported here: local deploys do without it."""
    import cdk_nag

    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))


def logical_id(construct: IConstruct) -> str:
    """What a finding calls a resource."""
    element = construct.node.default_child
    if not isinstance(element, cdk.CfnElement):
        raise TypeError(f"{construct.node.path} is not made of one resource")
    return cdk.Stack.of(construct).get_logical_id(element)


def role_of(function: lambda_.IFunction) -> iam.IRole:
    """Where the findings about what a function may do arise."""
    if function.role is None:
        raise TypeError(f"{function.node.path} is not ours: it has no role")
    return function.role


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """``finding`` is exact, as the report names it (``IAM5[Resource::*]``): a blanket ``IAM5`` covers nothing."""
    acknowledgment = cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=reason)
    cdk.Validations.of(construct).acknowledge(acknowledgment)
