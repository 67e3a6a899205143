"""The operator's commands, both ends: the command line that a person runs, and what the operator function does.

    nofy-operator project create NAME
    nofy-operator token create PROJECT_ID [--mode live|test]
    nofy-operator integration set PROJECT_ID CHANNEL [--settings JSON] < credential

The command line needs AWS credentials that may invoke ``nofy-<stage>-operator`` and encrypt with
``alias/nofy-<stage>``. A token is made on the operator's machine and only its hash leaves it; a credential is sealed
before it is sent. Each command prints one JSON object.
"""

from __future__ import annotations

import argparse
import base64
import json
import secrets
import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nofy.domain import tokens
from nofy.domain.ids import Prefix, decode, encode
from nofy.domain.integrations import settings_problem
from nofy.domain.routing import PROVIDER_OF, Channel
from nofy.domain.tokens import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nofy.adapters.postgres.administration import PostgresAdministration


class OperatorError(Exception):
    """A command that cannot be carried out, in words for the person who gave it."""


def perform(
    event: dict[str, Any], administration: PostgresAdministration, new_id: Callable[[], UUID]
) -> dict[str, Any]:
    """What the operator function does with one command."""
    match event:
        case {"command": "create_project", "name": str(name)}:
            project_id = new_id()
            administration.create_project(project_id, name)
            return {"project_id": encode(Prefix.PROJECT, project_id)}
        case {"command": "create_token", "project_id": project, "mode": mode, "hash": digest, "hint": hint}:
            key_id = new_id()
            administration.create_key(key_id, _project(project), Mode(mode), bytes.fromhex(digest), hint)
            return {"token_id": encode(Prefix.KEY, key_id)}
        case {"command": "find_integration", "project_id": project, "channel": channel}:
            found = administration.default_integration(_project(project), Channel(channel))
            return {"integration": str(found or new_id())}
        case {"command": "set_integration"}:
            return _set_integration(event, administration)
        case _:
            raise OperatorError(f"no such command: {event.get('command')!r}")


def _set_integration(event: dict[str, Any], administration: PostgresAdministration) -> dict[str, Any]:
    channel = Channel(event["channel"])
    if problem := settings_problem(PROVIDER_OF[channel], event["settings"]):
        raise OperatorError(problem)
    integration_id = UUID(event["integration"])
    version = administration.set_integration(
        integration_id,
        _project(event["project_id"]),
        channel,
        PROVIDER_OF[channel],
        event["settings"],
        base64.b64decode(event["credential"]),
    )
    return {"integration_id": encode(Prefix.INTEGRATION, integration_id), "credential_version": version}


def _project(text: str) -> UUID:
    identifier = decode(Prefix.PROJECT, text)
    if identifier is None:
        raise OperatorError(f"not a project id: {text}")
    return identifier


class Operator:
    """The command line's end: talks to KMS and to the operator function of one stage."""

    def __init__(self, stage: str, session: Any) -> None:
        self._key = f"alias/nofy-{stage}"
        self._function = f"nofy-{stage}-operator"
        self._lambda = session.client("lambda")
        self._kms = session.client("kms")

    def create_project(self, name: str) -> dict[str, Any]:
        return self._ask(command="create_project", name=name)

    def create_token(self, project_id: str, mode: str) -> dict[str, Any]:
        token = tokens.generate(Mode(mode), secrets.choice)
        digest = tokens.digest(token).hex()
        made = self._ask(command="create_token", project_id=project_id, mode=mode, hash=digest, hint=tokens.hint(token))
        return {"token": token, **made}

    def set_integration(self, project_id: str, channel: str, settings: str, credential: str) -> dict[str, Any]:
        from nofy.adapters.aws.vault import seal

        found = self._ask(command="find_integration", project_id=project_id, channel=channel)
        integration = UUID(found["integration"])
        sealed = seal(self._kms, self._key, _project(project_id), integration, credential)
        return self._ask(
            command="set_integration",
            project_id=project_id,
            channel=channel,
            integration=str(integration),
            settings=json.loads(settings),
            credential=base64.b64encode(sealed).decode(),
        )

    def _ask(self, **command: Any) -> dict[str, Any]:
        answer = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(command).encode())
        document = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OperatorError(str(document.get("errorMessage", document)))
        return dict(document)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nofy-operator", description="Projects, tokens and integrations.")
    parser.add_argument("--stage", default="dev", help="the stage to act on (default: dev)")
    things = parser.add_subparsers(dest="thing", required=True)
    project = things.add_parser("project").add_subparsers(dest="verb", required=True)
    project.add_parser("create", help="a new project").add_argument("name")
    token = things.add_parser("token").add_subparsers(dest="verb", required=True)
    create = token.add_parser("create", help="a new API token, shown once")
    create.add_argument("project_id")
    create.add_argument("--mode", choices=[each.value for each in Mode], default=Mode.LIVE.value)
    integration = things.add_parser("integration").add_subparsers(dest="verb", required=True)
    set_ = integration.add_parser("set", help="how to send on a channel; the credential is read from standard input")
    set_.add_argument("project_id")
    set_.add_argument("channel", choices=[each.value for each in Channel])
    set_.add_argument("--settings", default="{}", help='JSON, e.g. {"sender": {"email": "no-reply@example.com"}}')
    return parser


def _carry_out(operator: Operator, asked: argparse.Namespace) -> dict[str, Any]:
    match asked.thing:
        case "project":
            return operator.create_project(asked.name)
        case "token":
            return operator.create_token(asked.project_id, asked.mode)
        case _:
            credential = sys.stdin.read().strip()
            if not credential:
                raise OperatorError("no credential on standard input")
            return operator.set_integration(asked.project_id, asked.channel, asked.settings, credential)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit code 1 and one line on standard error when a command cannot be carried out."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    asked = _parser().parse_args(arguments)
    try:
        answer = _carry_out(Operator(asked.stage, boto3.Session()), asked)
    except (OperatorError, BotoCoreError, ClientError, ValueError) as error:
        print(f"nofy-operator: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(answer))  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
