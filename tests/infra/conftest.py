"""The stages' templates, synthesised once: a synth takes a second, reading its template nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.settings import ROOT, Stage
from infra.stage import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Resource = dict[str, Any]

# Without bundling (no pip) and without the CLI's own validation (it reads every template for seconds).
QUICK = {"aws:cdk:bundling-stacks": []}


class Deployed:
    """What one stage would deploy, and questions about it."""

    def __init__(self, stage: Stage, stacks: dict[str, Any]) -> None:
        self.stage = stage
        self.stacks = stacks
        self.resources: dict[str, Resource] = {
            logical_id: resource
            for template in stacks.values()
            for logical_id, resource in template.get("Resources", {}).items()
        }

    def of_type(self, kind: str) -> dict[str, Resource]:
        return {key: each for key, each in self.resources.items() if each["Type"] == kind}

    def functions(self) -> dict[str, Resource]:
        """Our functions by short name: CDK's own helpers have no name of ours."""
        prefix = f"nofy-{self.stage}-"
        return {
            name.removeprefix(prefix): each
            for each in self.of_type("AWS::Lambda::Function").values()
            if (name := each["Properties"].get("FunctionName", "")).startswith(prefix)
        }

    def logical_id(self, function: str) -> str:
        return next(key for key, each in self.resources.items() if each is self.functions()[function])

    def name_of(self, reference: Resource) -> str:
        """The short name of the function that ``Ref`` or ``Fn::GetAtt`` points at."""
        target = reference["Ref"] if "Ref" in reference else reference["Fn::GetAtt"][0]
        return str(self.resources[target]["Properties"]["FunctionName"]).removeprefix(f"nofy-{self.stage}-")

    def environment(self, function: str) -> dict[str, Any]:
        variables: dict[str, Any] = self.functions()[function]["Properties"]["Environment"]["Variables"]
        return variables

    def statements(self, function: str) -> Iterator[Resource]:
        """Every statement of the policies attached to the function's role."""
        role = self.functions()[function]["Properties"]["Role"]["Fn::GetAtt"][0]
        for policy in self.of_type("AWS::IAM::Policy").values():
            if {"Ref": role} in policy["Properties"]["Roles"]:
                yield from policy["Properties"]["PolicyDocument"]["Statement"]

    def actions(self, function: str) -> set[str]:
        found: set[str] = set()
        for statement in self.statements(function):
            action = statement["Action"]
            found |= {action} if isinstance(action, str) else set(action)
        return found


@pytest.fixture(scope="session")
def deployed_in() -> Callable[[Stage], Deployed]:
    known: dict[Stage, Deployed] = {}

    def deployed(stage: Stage) -> Deployed:
        return known[stage] if stage in known else known.setdefault(stage, _synthesise(stage))

    return deployed


@pytest.fixture(scope="session")
def local(deployed_in: Callable[[Stage], Deployed]) -> Deployed:
    return deployed_in(Stage.LOCAL)


def _synthesise(stage: Stage) -> Deployed:
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = cdk.App(context={**context, **QUICK, "stage": str(stage)}, builtin_cloud_formation_validation=False)
    build(app)
    stacks = [child for child in app.node.children if isinstance(child, cdk.Stack)]
    return Deployed(stage, {stack.stack_name: Template.from_stack(stack).to_json() for stack in stacks})
