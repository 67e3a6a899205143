"""The stages' templates, synthesised once: a synth takes a second, reading its template nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.settings import ROOT, Stage, load_settings
from infra.stage import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Resource = dict[str, Any]

# Without bundling (no pip) and without the CLI's own validation (it reads every template for seconds).
QUICK = {"aws:cdk:bundling-stacks": []}


class Deployed:
    """What one stage would deploy, and questions about it."""

    def __init__(self, stage: Stage, stacks: dict[str, Any], protected: set[str]) -> None:
        self.stage = stage
        self.stacks = stacks
        self.protected = protected
        self.settings = load_settings(stage)
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

    @staticmethod
    def text(value: Any) -> str:
        return text(value)

    def mapping_of(self, topic: str) -> Resource:
        """The event source mapping that reads a topic."""
        (found,) = (
            each["Properties"]
            for each in self.of_type("AWS::Lambda::EventSourceMapping").values()
            if each["Properties"]["Topics"] == [topic]
        )
        return found

    def granted(self, function: str, action: str) -> set[str]:
        """The resources, as text, on which a function may do something."""
        return {
            text(resource)
            for statement in self.statements(function)
            if action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
        }

    def actions(self, function: str) -> set[str]:
        found: set[str] = set()
        for statement in self.statements(function):
            found |= set(_listed(statement["Action"]))
        return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """A value with its references as ``${...}``, so that it can be compared and searched."""
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(text, parts))
        case {"Ref": name} | {"Fn::ImportValue": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Select": [index, {"Fn::Split": [separator, whole]}]}:
            return f"${{{text(whole)} by {separator} at {index}}}"
    raise AssertionError(f"{value} is not text")


@pytest.fixture(scope="session")
def deployed_in() -> Callable[[Stage], Deployed]:
    known: dict[Stage, Deployed] = {}

    def deployed(stage: Stage) -> Deployed:
        return known[stage] if stage in known else known.setdefault(stage, _synthesise(stage))

    return deployed


@pytest.fixture(scope="session")
def local(deployed_in: Callable[[Stage], Deployed]) -> Deployed:
    return deployed_in(Stage.LOCAL)


@pytest.fixture(params=list(Stage))
def deployed(request: pytest.FixtureRequest, deployed_in: Callable[[Stage], Deployed]) -> Deployed:
    """Each stage in turn."""
    return deployed_in(request.param)


@pytest.fixture(params=[Stage.DEV, Stage.PROD])
def cloud(request: pytest.FixtureRequest, deployed_in: Callable[[Stage], Deployed]) -> Deployed:
    """Each stage that goes to AWS in turn."""
    return deployed_in(request.param)


@pytest.fixture
def dev(deployed_in: Callable[[Stage], Deployed]) -> Deployed:
    return deployed_in(Stage.DEV)


@pytest.fixture
def prod(deployed_in: Callable[[Stage], Deployed]) -> Deployed:
    return deployed_in(Stage.PROD)


@pytest.fixture
def synthesised() -> Callable[[Stage, dict[str, Any]], Deployed]:
    """A stage with some of its profile changed."""
    return _synthesise


def _synthesise(stage: Stage, changes: dict[str, Any] | None = None) -> Deployed:
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    _merge(context["nofy"][stage], changes or {})
    app = cdk.App(context={**context, **QUICK, "stage": str(stage)}, builtin_cloud_formation_validation=False)
    build(app)
    stacks = [child for child in app.node.children if isinstance(child, cdk.Stack)]
    return Deployed(
        stage,
        {stack.stack_name: Template.from_stack(stack).to_json() for stack in stacks},
        protected={stack.stack_name for stack in stacks if stack.termination_protection},
    )


def _merge(profile: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if isinstance(value, dict):
            _merge(profile.setdefault(name, {}), value)
        else:
            profile[name] = value
