"""The operator's commands, both ends: the command line that a person runs, and what the operator function does.

    nofy-operator project create NAME
    nofy-operator project limits PROJECT_ID [--requests-per-second N] [--burst N] [--notifications-per-day N]
                                            [--weight N]
    nofy-operator project join PROJECT_ID USER_ID [--role owner|admin|developer|viewer]
    nofy-operator token create PROJECT_ID [--mode live|test] [--name NAME] [--scopes send,read,manage]
    nofy-operator integration set PROJECT_ID CHANNEL [--name NAME] [--settings JSON] < credential

The command line needs AWS credentials that may invoke ``nofy-<stage>-operator`` and encrypt with
``alias/nofy-<stage>``. A token is made on the operator's machine and only its hash leaves it; a credential is sealed
before it is sent. Each command prints one JSON object, and what it changed stands in the project's audit log.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from nofy.domain import tokens
from nofy.domain.accounts import Actor, ActorKind, AuditEntry
from nofy.domain.ids import NAMESPACE, Prefix, born, decode, encode
from nofy.domain.integrations import settings_problem
from nofy.domain.permissions import Role, Scope
from nofy.domain.routing import PROVIDER_OF, Channel
from nofy.domain.tokens import Mode
from nofy.runtime.command_line import parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from nofy.adapters.postgres.administration import PostgresAdministration


# Operators are told apart by IAM, in CloudTrail; here they are one.
OPERATOR = Actor(ActorKind.OPERATOR, uuid5(NAMESPACE, "operator"), "an operator")
# What of a project an operator sets, and every other one has by default.
LIMITS = ("requests_per_second", "burst", "notifications_per_day", "weight")
_SHORTEST_HINTED = 12  # of a shorter credential four characters would say too much


class OperatorError(Exception):
    """A command that cannot be carried out, in words for the person who gave it."""


def perform(
    event: dict[str, Any], administration: PostgresAdministration, new_id: Callable[[], UUID]
) -> dict[str, Any]:
    """What the operator function does with one command."""
    match event:
        case {"command": "create_project", "name": str(name)}:
            project_id = new_id()
            made = encode(Prefix.PROJECT, project_id)
            administration.create_project(project_id, name, _entry(new_id, "project.created", made, name=name))
            return {"project_id": made}
        case {"command": "set_limits"}:
            return _set_limits(event, administration, new_id)
        case {"command": "join", "project_id": project, "user_id": user, "role": role}:
            entry = _entry(new_id, "member.joined", user, role=Role(role))
            administration.join(_project(project), _user(user), Role(role), entry)
            return {"user_id": user, "role": role}
        case {"command": "create_token"}:
            return _create_token(event, administration, new_id)
        case {"command": "find_integration", "project_id": project, "channel": channel}:
            found = administration.default_integration(_project(project), Channel(channel))
            return {"integration": str(found or new_id())}
        case {"command": "set_integration"}:
            return _set_integration(event, administration, new_id)
        case _:
            raise OperatorError(f"no such command: {event.get('command')!r}")


def _set_limits(
    event: dict[str, Any], administration: PostgresAdministration, new_id: Callable[[], UUID]
) -> dict[str, Any]:
    limits = {name: event.get(name) for name in LIMITS}
    entry = _entry(new_id, "project.limited", event["project_id"], **limits)
    administration.set_limits(_project(event["project_id"]), entry, **limits)
    return limits


def _create_token(
    event: dict[str, Any], administration: PostgresAdministration, new_id: Callable[[], UUID]
) -> dict[str, Any]:
    key_id, project_id, mode = new_id(), _project(event["project_id"]), Mode(event["mode"])
    name, scopes = event["name"], tuple(Scope(each) for each in event["scopes"])
    entry = _entry(new_id, "token.created", encode(Prefix.KEY, key_id), name=name, mode=mode, scopes=list(scopes))
    digest = bytes.fromhex(event["hash"])
    administration.create_key(key_id, project_id, mode, digest, event["hint"], name, scopes, entry)
    return {"token_id": encode(Prefix.KEY, key_id)}


def _set_integration(
    event: dict[str, Any], administration: PostgresAdministration, new_id: Callable[[], UUID]
) -> dict[str, Any]:
    channel = Channel(event["channel"])
    if problem := settings_problem(PROVIDER_OF[channel], event["settings"]):
        raise OperatorError(problem)
    integration_id = UUID(event["integration"])
    target = encode(Prefix.INTEGRATION, integration_id)
    version = administration.set_integration(
        integration_id,
        _project(event["project_id"]),
        channel,
        PROVIDER_OF[channel],
        event["settings"],
        base64.b64decode(event["credential"]),
        event["name"],
        event["hint"],
        _entry(new_id, "integration.set", target, channel=channel, hint=event["hint"]),
    )
    return {"integration_id": target, "credential_version": version}


def _entry(new_id: Callable[[], UUID], action: str, target: str, **details: Any) -> AuditEntry:
    entry_id = new_id()
    return AuditEntry(entry_id, born(entry_id), OPERATOR, action, target, details, "")


def _project(text: str) -> UUID:
    identifier = decode(Prefix.PROJECT, text)
    if identifier is None:
        raise OperatorError(f"not a project id: {text}")
    return identifier


def _user(text: str) -> UUID:
    identifier = decode(Prefix.USER, text)
    if identifier is None:
        raise OperatorError(f"not a user id: {text}")
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

    def set_limits(self, project_id: str, **limits: float | None) -> dict[str, Any]:
        return self._ask(command="set_limits", project_id=project_id, **limits)

    def join(self, project_id: str, user_id: str, role: str) -> dict[str, Any]:
        return self._ask(command="join", project_id=project_id, user_id=user_id, role=role)

    def create_token(
        self, project_id: str, mode: str, name: str = "made by an operator", scopes: Sequence[str] = tuple(Scope)
    ) -> dict[str, Any]:
        token = tokens.generate(Mode(mode), secrets.choice)
        known = {"hash": tokens.digest(token).hex(), "hint": tokens.hint(token), "name": name, "scopes": list(scopes)}
        made = self._ask(command="create_token", project_id=project_id, mode=mode, **known)
        return {"token": token, **made}

    def set_integration(
        self, project_id: str, channel: str, settings: str, credential: str, name: str = ""
    ) -> dict[str, Any]:
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
            name=name,
            hint=_hint(credential),
        )

    def _ask(self, **command: Any) -> dict[str, Any]:
        answer = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(command).encode())
        document = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OperatorError(str(document.get("errorMessage", document)))
        return dict(document)


def _hint(credential: str) -> str:
    """What a person may see of a credential: enough to tell two apart."""
    return f"…{credential[-4:]}" if len(credential) >= _SHORTEST_HINTED else "…"


def _carry_out(operator: Operator, asked: argparse.Namespace) -> dict[str, Any]:
    match asked.thing, asked.verb:
        case "project", "create":
            return operator.create_project(asked.name)
        case "project", "limits":
            return operator.set_limits(asked.project_id, **{name: getattr(asked, name) for name in LIMITS})
        case "project", "join":
            return operator.join(asked.project_id, asked.user_id, asked.role)
        case "token", _:
            return operator.create_token(asked.project_id, asked.mode, asked.name, asked.scopes)
        case _:
            credential = sys.stdin.read().strip()
            if not credential:
                raise OperatorError("no credential on standard input")
            return operator.set_integration(asked.project_id, asked.channel, asked.settings, credential, asked.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit code 1 and one line on standard error when a command cannot be carried out."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    asked = parser().parse_args(arguments)
    try:
        answer = _carry_out(Operator(asked.stage, boto3.Session()), asked)
    except (OperatorError, BotoCoreError, ClientError, ValueError) as error:
        print(f"nofy-operator: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(answer))  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
