"""Every operation of the served OpenAPI document, with requests that fit it and requests that do not.

Schemathesis makes them. None may end as a 5xx, none may answer with what the document does not tell, none may be let
in without a token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from redis import Redis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from nofy.runtime.api.openapi import document
from tests.attacks.conftest import Api, Tenant, settle

if TYPE_CHECKING:
    from schemathesis.specs.openapi.schemas import OpenApiSchema

EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
# What is wrong with an item of a batch is told in its own result: with one sound item the batch is accepted.
ITEM_BY_ITEM = {"/v1/notifications/batch"}
OPERATIONS = [(path, method) for path, each in document()["paths"].items() for method in each]


@pytest.fixture(scope="module")
def schema(api: Api) -> OpenApiSchema:
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", api)


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda each: each.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=str)
def test_an_operation_answers_as_the_document_says(
    api: Api, schema: OpenApiSchema, redis_url: str, path: str, method: str, mode: Any
):
    tenant = settle(api, "ada")
    refusing = [] if path in ITEM_BY_ITEM else [negative_data_rejection]
    checks = CHECKS + (refusing if mode is GenerationMode.NEGATIVE else [ignored_auth])
    operation = schema[path][method]

    @seed(6)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case: Any) -> None:
        case.path_parameters = {**(case.path_parameters or {}), **_known(tenant, case)}
        shown = {"Authorization": f"Bearer {tenant.token}"}
        if mode is GenerationMode.NEGATIVE and "Authorization" in case.headers:
            shown = {}  # a token that is none is what is tried
        case.call_and_validate(headers={**tenant.headers, **shown}, checks=checks)

    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    attempt()


def _known(tenant: Tenant, case: Any) -> dict[str, str]:
    """Ids that exist: random ones all end as the same 404."""
    return {name: tenant.ids[name] for name in case.path_parameters or {} if name in tenant.ids}
