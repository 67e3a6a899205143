"""The OpenAPI 3.1 document, made from the models that requests are really read with."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from nofy.runtime.api.operations import Operation, operations
from nofy.runtime.api.routes import Access

if TYPE_CHECKING:
    from pydantic import BaseModel


# An API token belongs to a project; a person says by headers which one, and which mode of it, they mean.
_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token: nofy_live_… or nofy_test_…"},
    "console": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A console token, from POST /v1/session; good for a quarter of an hour",
    },
}
_SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"console": []}]
_SECURITY_OF: dict[Access, list[dict[str, list[str]]]] = {
    Access.PROJECT: _SECURITY,
    Access.PERSON: [{"console": []}],
    Access.PUBLIC: [],
}


@cache
def document() -> dict[str, Any]:
    """The document as JSON types."""
    components = _components()
    paths: dict[str, dict[str, Any]] = {}
    for each in operations():
        paths.setdefault(each.path, {})[each.method] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Nofy",
            "version": "1",
            "description": "The right message to a person on Slack, e-mail or WhatsApp, at the right time, once.",
        },
        "servers": [{"url": "/"}],
        "security": _SECURITY,
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": _SCHEMES,
        },
    }


def _components() -> dict[str, Any]:
    """Every model once, bodies as they are read and answers as they are written."""
    from pydantic.json_schema import models_json_schema

    from nofy.runtime.api.schemas import Problem

    bodies = {each.body for each in operations() if each.body}
    answers = {each.answers[1] for each in operations()} | {Problem}
    answers |= {each.refused for each in operations() if each.refused}
    wanted: list[Any] = [(each, "validation") for each in sorted(bodies, key=_name)]
    wanted += [(each, "serialization") for each in sorted(answers, key=_name)]
    _, definitions = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = definitions["$defs"]
    # A batch's items are looked at one by one, so their model is told here.
    item = {"$ref": "#/components/schemas/NotificationRequest"}
    schemas["BatchRequest"]["properties"]["notifications"]["items"] = item
    return schemas


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _operation(operation: Operation) -> dict[str, Any]:
    status, model = operation.answers
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": _SECURITY_OF[operation.access],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_headers(operation)],
        "responses": {str(status): _content("As asked", model.__name__, "application/json")}
        | {str(each): _refusal(operation, each) for each in sorted(operation.problems)},
    }
    if operation.permission:
        described["x-permission"] = operation.permission
        described["description"] = f"Takes the permission {operation.permission}."
    if operation.body:
        content = _content(None, operation.body.__name__, "application/json")
        described["requestBody"] = {"required": not operation.body_optional, **content}
    return described


def _refusal(operation: Operation, status: int) -> dict[str, Any]:
    described = _content("Refused", "Problem", "application/problem+json")
    if status == 422 and operation.refused:
        either = [{"$ref": f"#/components/schemas/{each}"} for each in ("Problem", operation.refused.__name__)]
        described["content"]["application/problem+json"]["schema"] = {"anyOf": either}
    return described


def _content(description: str | None, schema: str, content_type: str) -> dict[str, Any]:
    content = {"content": {content_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}
    return content if description is None else {"description": description, **content}


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    return [{"name": each, "in": "path", "required": True, "schema": {"type": "string"}} for each in names]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    from pydantic.json_schema import model_json_schema

    schema = model_json_schema(operation.query)
    definitions = schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _inlined(each, definitions),
        }
        for name, each in schema["properties"].items()
    ]


def _inlined(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without references of its own and without null: a parameter is there or it is not."""
    options = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    chosen = options[0]
    name = chosen.get("$ref", "").rpartition("/")[2]
    return dict(definitions[name]) if name else {key: value for key, value in chosen.items() if key != "title"}


def _headers(operation: Operation) -> list[dict[str, Any]]:
    found = []
    if operation.access is Access.PROJECT and not operation.route.in_project:
        which = "Whose: needed with a console token; an API token belongs to one project"
        found.append(_header("Nofy-Project", {"type": "string"}, which))
    if operation.access is Access.PROJECT:
        mode = {"type": "string", "enum": ["live", "test"], "default": "live"}
        found.append(_header("Nofy-Mode", mode, "With a console token; an API token has a mode of its own"))
    if operation.idempotent:
        key = {"type": "string", "minLength": 1, "maxLength": 255}
        found.append(_header("Idempotency-Key", key, "The same request with the same key is answered once"))
    return found


def _header(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}
