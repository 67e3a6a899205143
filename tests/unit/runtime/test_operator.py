"""The operator's commands, both ends."""

from __future__ import annotations

import base64
import io
import json
from typing import Any
from uuid import UUID

import boto3
import pytest

from nofy.domain import tokens
from nofy.domain.accounts import ActorKind
from nofy.domain.ids import Prefix, born, decode, encode
from nofy.domain.permissions import Role, Scope
from nofy.domain.routing import Channel, Provider
from nofy.domain.tokens import Mode
from nofy.runtime import operator as module
from nofy.runtime.operator import OPERATOR, OperatorError, perform
from tests.unit.domain.examples import INTEGRATION, PROJECT

NEW = UUID("01950000-0000-7000-8000-0000000000aa")
PROJECT_ID = encode(Prefix.PROJECT, PROJECT)
USER = UUID("0b0f6a52-5b0e-5d6e-9d6b-0f6a525b0e5d")
USER_ID = encode(Prefix.USER, USER)


class Administration:
    """Notes what it is asked to store."""

    def __init__(self, known: UUID | None = None) -> None:
        self.known = known
        self.calls: list[tuple[Any, ...]] = []

    def create_project(self, *given: Any) -> None:
        self.calls.append(("create_project", *given))

    def create_key(self, *given: Any) -> None:
        self.calls.append(("create_key", *given))

    def set_limits(self, *given: Any, **limits: Any) -> None:
        self.calls.append(("set_limits", limits, *given))

    def join(self, *given: Any) -> None:
        self.calls.append(("join", *given))

    def default_integration(self, *given: Any) -> UUID | None:
        self.calls.append(("default_integration", *given))
        return self.known

    def set_integration(self, *given: Any) -> int:
        self.calls.append(("set_integration", *given))
        return 4


def done(event: dict[str, Any], administration: Any) -> dict[str, Any]:
    return perform(event, administration, lambda: NEW)


def test_a_project_is_created_under_a_new_id():
    administration = Administration()
    assert done({"command": "create_project", "name": "Acme"}, administration) == {
        "project_id": encode(Prefix.PROJECT, NEW)
    }
    ((*call, entry),) = administration.calls
    assert call == ["create_project", NEW, "Acme"]
    assert (entry.action, entry.target, entry.details) == (
        "project.created",
        encode(Prefix.PROJECT, NEW),
        {"name": "Acme"},
    )


def test_what_an_operator_does_is_noted_as_an_operators():
    administration = Administration()
    done({"command": "create_project", "name": "Acme"}, administration)
    entry = administration.calls[0][-1]
    assert (entry.entry_id, entry.at, entry.actor) == (NEW, born(NEW), OPERATOR)
    assert entry.actor.kind is ActorKind.OPERATOR


def test_a_token_is_stored_as_its_hash():
    administration = Administration()
    event = {"command": "create_token", "project_id": PROJECT_ID, "mode": "test", "hash": "00ff", "hint": "nofy_…"}
    event |= {"name": "server", "scopes": ["send", "read"]}
    assert done(event, administration) == {"token_id": encode(Prefix.KEY, NEW)}
    ((*call, entry),) = administration.calls
    scopes = (Scope.SEND, Scope.READ)
    assert call == ["create_key", NEW, PROJECT, Mode.TEST, b"\x00\xff", "nofy_…", "server", scopes]
    assert (entry.action, entry.target) == ("token.created", encode(Prefix.KEY, NEW))
    assert "00ff" not in str(entry)


def test_a_projects_limits_are_set_and_what_is_not_given_is_as_everywhere():
    administration = Administration()
    event = {"command": "set_limits", "project_id": PROJECT_ID, "burst": 5}
    limits = {"requests_per_second": None, "burst": 5, "notifications_per_day": None, "weight": None}
    assert done(event, administration) == limits
    ((*call, entry),) = administration.calls
    assert call == ["set_limits", limits, PROJECT]
    assert (entry.action, entry.target, entry.details) == ("project.limited", PROJECT_ID, limits)


def test_a_person_joins_a_project():
    administration = Administration()
    event = {"command": "join", "project_id": PROJECT_ID, "user_id": USER_ID, "role": "owner"}
    assert done(event, administration) == {"user_id": USER_ID, "role": "owner"}
    ((*call, entry),) = administration.calls
    assert call == ["join", PROJECT, USER, Role.OWNER]
    assert (entry.action, entry.target, entry.details) == ("member.joined", USER_ID, {"role": "owner"})


def test_the_integration_that_is_there_is_found_before_a_new_one_is_named():
    event = {"command": "find_integration", "project_id": PROJECT_ID, "channel": "email"}
    assert done(event, Administration(known=INTEGRATION)) == {"integration": str(INTEGRATION)}
    assert done(event, Administration()) == {"integration": str(NEW)}


def test_an_integration_is_set_with_its_sealed_credential():
    administration = Administration()
    event = {
        "command": "set_integration",
        "project_id": PROJECT_ID,
        "channel": "email",
        "integration": str(INTEGRATION),
        "settings": {"sender": {"email": "a@b.c"}},
        "credential": base64.b64encode(b"\x00sealed").decode(),
        "name": "Main",
        "hint": "…cret",
    }
    answer = done(event, administration)
    assert answer == {"integration_id": encode(Prefix.INTEGRATION, INTEGRATION), "credential_version": 4}
    settings = {"sender": {"email": "a@b.c"}}
    stored = (
        "set_integration",
        INTEGRATION,
        PROJECT,
        Channel.EMAIL,
        Provider.BREVO,
        settings,
        b"\x00sealed",
        "Main",
        "…cret",
    )
    ((*call, entry),) = administration.calls
    assert tuple(call) == stored
    assert (entry.action, entry.target) == ("integration.set", encode(Prefix.INTEGRATION, INTEGRATION))


@pytest.mark.parametrize(
    "event",
    [{}, {"command": "drop_everything"}, {"command": "create_project"}, {"command": "create_project", "name": 5}],
)
def test_a_command_nobody_knows_is_refused(event: dict[str, Any]):
    administration = Administration()
    with pytest.raises(OperatorError, match="no such command"):
        done(event, administration)
    assert not administration.calls


def test_what_is_no_project_id_is_refused():
    event = {"command": "find_integration", "project_id": "acme", "channel": "email"}
    with pytest.raises(OperatorError, match="not a project id: acme"):
        done(event, Administration())


class Session:
    """An AWS session whose Lambda performs the command here, and whose KMS turns letters round."""

    def __init__(self, administration: Any) -> None:
        self.administration = administration
        self.invoked: list[str] = []
        self.payloads: list[bytes] = []
        self.sealed: list[dict[str, Any]] = []

    def client(self, name: str) -> Any:
        assert name in ("lambda", "kms")
        return self

    def invoke(self, **asked: Any) -> dict[str, Any]:
        self.invoked.append(asked["FunctionName"])
        self.payloads.append(asked["Payload"])
        try:
            answer, error = done(json.loads(asked["Payload"]), self.administration), {}
        except OperatorError as refused:
            answer, error = {"errorMessage": str(refused), "errorType": "OperatorError"}, {"FunctionError": "Unhandled"}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **error}

    def encrypt(self, **asked: Any) -> dict[str, bytes]:
        self.sealed.append(asked)
        return {"CiphertextBlob": asked["Plaintext"][::-1]}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    made = Session(Administration())
    monkeypatch.setattr(boto3, "Session", lambda: made)
    return made


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert module.main(words) == 0
    printed = capsys.readouterr()
    assert not printed.err
    return dict(json.loads(printed.out))


def test_the_command_line_creates_a_project(session: Session, capsys):
    answer = run(capsys, "--stage", "local", "project", "create", "Acme")
    assert decode(Prefix.PROJECT, answer["project_id"]) == NEW
    assert session.invoked == ["nofy-local-operator"]


def test_the_command_line_makes_a_token_of_which_only_the_hash_leaves_the_machine(session: Session, capsys):
    answer = run(capsys, "token", "create", PROJECT_ID, "--mode", "test")
    assert tokens.well_formed(answer["token"])
    assert answer["token"].startswith("nofy_test_")
    assert session.invoked == ["nofy-dev-operator"]
    (payload,) = session.payloads
    assert answer["token"].encode() not in payload
    assert json.loads(payload)["hash"] == tokens.digest(answer["token"]).hex()


def test_the_command_line_seals_a_credential_before_it_is_sent(session: Session, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("xkeysib-secret\n"))
    settings = '{"sender": {"email": "a@b.c"}}'
    answer = run(capsys, "--stage", "prod", "integration", "set", PROJECT_ID, "email", "--settings", settings)
    assert answer == {"integration_id": encode(Prefix.INTEGRATION, NEW), "credential_version": 4}
    (asked,) = session.sealed
    assert asked["KeyId"] == "alias/nofy-prod"
    assert asked["Plaintext"] == b"xkeysib-secret"
    assert asked["EncryptionContext"] == {"project": str(PROJECT), "integration": str(NEW)}
    assert not [each for each in session.payloads if b"xkeysib-secret" in each]
    *_, stored = session.administration.calls
    assert stored[5:-1] == ({"sender": {"email": "a@b.c"}}, b"terces-bisyekx", "", "…cret")


def test_a_short_credential_is_not_hinted_at(session: Session, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("12345678901\n"))
    settings = '{"sender": {"email": "a@b.c"}}'
    run(capsys, "integration", "set", PROJECT_ID, "email", "--settings", settings, "--name", "Main")
    *_, stored = session.administration.calls
    assert stored[-3:-1] == ("Main", "…")


def test_the_command_line_names_a_token_and_what_it_is_for(session: Session, capsys):
    run(capsys, "token", "create", PROJECT_ID, "--name", "server", "--scopes", "send,read,send")
    (stored,) = session.administration.calls
    assert stored[6:8] == ("server", (Scope.SEND, Scope.READ))


def test_the_command_line_sets_limits(session: Session, capsys):
    words = ("project", "limits", PROJECT_ID, "--requests-per-second", "2.5", "--weight", "3")
    answer = run(capsys, *words)
    assert answer == {"requests_per_second": 2.5, "burst": None, "notifications_per_day": None, "weight": 3}


@pytest.mark.parametrize(("words", "role"), [((), "owner"), (("--role", "viewer"), "viewer")])
def test_the_command_line_makes_a_person_an_owner_unless_told_otherwise(session: Session, capsys, words, role):
    assert run(capsys, "project", "join", PROJECT_ID, USER_ID, *words) == {"user_id": USER_ID, "role": role}


@pytest.mark.parametrize(
    ("words", "stdin", "told"),
    [
        (["integration", "set", PROJECT_ID, "email"], " \n", "no credential on standard input"),
        (["integration", "set", "acme", "email"], "x", "not a project id: acme"),
        (["integration", "set", PROJECT_ID, "email", "--settings", "{"], "x", "Expecting property name"),
        (["token", "create", "acme"], "", "not a project id: acme"),
        (["project", "join", PROJECT_ID, "ada"], "", "not a user id: ada"),
        (["project", "limits", "acme"], "", "not a project id: acme"),
    ],
)
def test_a_command_that_cannot_be_carried_out_is_one_line_and_exit_code_1(
    session, capsys, monkeypatch, words, stdin, told
):
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    assert module.main(words) == 1
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.startswith(f"nofy-operator: {told}")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["project"],
        ["project", "create"],
        ["token", "create", "x", "--mode", "dry"],
        ["token", "create", "x", "--scopes", "send,everything"],
        ["token", "create", "x", "--scopes", ""],
        ["project", "limits", "x", "--burst", "0"],
        ["project", "limits", "x", "--weight", "0"],
        ["project", "limits", "x", "--weight", "101"],
        ["project", "limits", "x", "--requests-per-second", "nan"],
        ["project", "join", "x", "y", "--role", "king"],
        ["integration", "set", "x", "fax"],
    ],
)
def test_a_wrong_command_line_is_explained(session, capsys, words: list[str]):
    with pytest.raises(SystemExit) as ended:
        module.main(words)
    assert ended.value.code == 2
    assert "usage: nofy-operator" in capsys.readouterr().err
