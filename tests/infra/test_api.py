"""One door: each path goes to the function that answers it, and what reaches none is answered as they would answer."""

import json

import pytest

from infra.constructs.problem_responses import PROBLEMS
from nofy.runtime.api.problems import _KINDS, _UNFORESEEN, document_of
from nofy.runtime.api.routes import ROUTES

ANSWERED_BY = {
    "/": "producer",
    "/{proxy+}": "producer",
    "/v1/{proxy+}": "producer",
    "/v1/session": "session",
    **{
        f"/v1/{name}{below}": "console"
        for name in ("me", "projects", "invitations", "recipients")
        for below in ("", "/{proxy+}")
    },
}


def test_every_path_has_one_function_that_answers_it(deployed):
    found = {}
    for method in (each["Properties"] for each in deployed.of_type("AWS::ApiGateway::Method").values()):
        assert method["HttpMethod"] == "ANY"
        assert method["Integration"]["Type"] == "AWS_PROXY"
        found[_path(deployed, method["ResourceId"])] = _invoked(method["Integration"]["Uri"])

    assert found == {path: deployed.logical_id(name) for path, name in ANSWERED_BY.items()}


def test_every_operation_is_answered_by_the_function_that_its_description_names(deployed):
    names = {"producer", *(name for name in ANSWERED_BY.values())}
    for route in ROUTES.values():
        assert route.function in names
        assert _answering(route.path) == route.function, route.path


def test_only_this_api_may_invoke_what_answers_it(deployed):
    permissions = [each["Properties"] for each in deployed.of_type("AWS::Lambda::Permission").values()]

    assert {deployed.name_of(each["FunctionName"]) for each in permissions} == {"producer", "console", "session"}
    for permission in permissions:
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert "SourceArn" in permission


def test_the_stage_has_limits(deployed):
    (stage,) = deployed.of_type("AWS::ApiGateway::Stage").values()
    (everything,) = stage["Properties"]["MethodSettings"]

    assert stage["Properties"]["StageName"] == "live"
    assert (everything["HttpMethod"], everything["ResourcePath"]) == ("*", "/*")
    assert everything["ThrottlingRateLimit"] > 0
    assert everything["ThrottlingBurstLimit"] > 0


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.kind)
def test_the_gateway_refuses_with_a_problem_document(deployed, problem):
    (response,) = (
        each["Properties"]
        for each in deployed.of_type("AWS::ApiGateway::GatewayResponse").values()
        if each["Properties"]["ResponseType"] == problem.kind
    )
    document = json.loads(response["ResponseTemplates"]["application/json"])

    assert response["ResponseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert response["StatusCode"] == str(problem.status)
    assert document == document_of(problem.status, problem.code, problem.title, "$context.requestId")


@pytest.mark.parametrize("kind", ["REQUEST_TOO_LARGE", "THROTTLED", "WAF_FILTERED", "DEFAULT_4XX", "DEFAULT_5XX"])
def test_the_refusals_a_client_will_meet_are_among_them(kind):
    assert kind in {problem.kind for problem in PROBLEMS}


def test_where_the_gateway_and_the_api_say_the_same_they_say_it_with_the_same_code():
    of_the_api = {(status, code) for status, code, _ in [*_KINDS.values(), _UNFORESEEN]}
    of_the_gateway = {problem.kind: (problem.status, problem.code) for problem in PROBLEMS}

    for kind in ("BAD_REQUEST_BODY", "UNAUTHORIZED", "REQUEST_TOO_LARGE", "INTEGRATION_FAILURE", "DEFAULT_5XX"):
        assert of_the_gateway[kind] in of_the_api


def test_whoever_should_come_back_is_told_when(deployed):
    (throttled,) = (
        each["Properties"]
        for each in deployed.of_type("AWS::ApiGateway::GatewayResponse").values()
        if each["Properties"]["ResponseType"] == "THROTTLED"
    )

    assert throttled["ResponseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


def test_the_addresses_are_outputs(deployed):
    outputs = set(deployed.stacks[f"nofy-{deployed.stage}-application"]["Outputs"])

    assert {"ApiUrl", "RestApiId", "ApiStageName", "KmsKeyAlias"} <= outputs


def _path(deployed, reference):
    """The path of an API's resource, put together from its parents'."""
    if "Fn::GetAtt" in reference:
        return "/"
    resource = deployed.resources[reference["Ref"]]["Properties"]
    return f"{_path(deployed, resource['ParentId']).rstrip('/')}/{resource['PathPart']}"


def _answering(path):
    """As API Gateway decides: the longest way along named parts, then whatever is below."""
    head = "/".join(path.split("/")[:3])
    if path in ANSWERED_BY:
        return ANSWERED_BY[path]
    return ANSWERED_BY.get(f"{head}/{{proxy+}}", "producer")


def _invoked(uri):
    return next(part["Fn::GetAtt"][0] for part in uri["Fn::Join"][1] if isinstance(part, dict) and "Fn::GetAtt" in part)
