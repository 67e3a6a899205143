"""One door: everything goes to the producer, and what does not reach it is answered as it would answer."""

import json

import pytest

from infra.constructs.problem_responses import PROBLEMS
from nofy.runtime.api.problems import _KINDS, _UNFORESEEN, document_of


def test_every_request_is_the_producers(deployed):
    methods = [each["Properties"] for each in deployed.of_type("AWS::ApiGateway::Method").values()]

    assert [each["HttpMethod"] for each in methods] == ["ANY", "ANY"]
    for method in methods:
        assert method["Integration"]["Type"] == "AWS_PROXY"
        assert _invoked(method["Integration"]["Uri"]) == deployed.logical_id("producer")


def test_any_path_is_proxied(deployed):
    (resource,) = deployed.of_type("AWS::ApiGateway::Resource").values()

    assert resource["Properties"]["PathPart"] == "{proxy+}"


def test_only_this_api_may_invoke_the_producer(deployed):
    permissions = [each["Properties"] for each in deployed.of_type("AWS::Lambda::Permission").values()]

    assert {deployed.name_of(each["FunctionName"]) for each in permissions} == {"producer"}
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


def _invoked(uri):
    return next(part["Fn::GetAtt"][0] for part in uri["Fn::Join"][1] if isinstance(part, dict) and "Fn::GetAtt" in part)
