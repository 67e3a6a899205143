"""The words of the operator's command line, and which values they take."""

from __future__ import annotations

import argparse
from typing import Any

from nofy.domain.accounts import MOST_WEIGHT
from nofy.domain.permissions import Role, Scope
from nofy.domain.routing import Channel
from nofy.domain.tokens import Mode


def parser() -> argparse.ArgumentParser:
    """``nofy-operator``; ``runtime/operator.py`` says what each command does."""
    words = argparse.ArgumentParser(prog="nofy-operator", description="Projects, tokens and integrations.")
    words.add_argument("--stage", default="dev", help="the stage to act on (default: dev)")
    things = words.add_subparsers(dest="thing", required=True)
    _add_projects(things.add_parser("project").add_subparsers(dest="verb", required=True))
    token = things.add_parser("token").add_subparsers(dest="verb", required=True)
    create = token.add_parser("create", help="a new API token, shown once")
    create.add_argument("project_id")
    create.add_argument("--mode", choices=[each.value for each in Mode], default=Mode.LIVE.value)
    create.add_argument("--name", default="made by an operator", help="what people know it by")
    create.add_argument("--scopes", type=_scopes, default=list(Scope), help="send, read, manage (default: all of them)")
    integration = things.add_parser("integration").add_subparsers(dest="verb", required=True)
    set_ = integration.add_parser("set", help="how to send on a channel; the credential is read from standard input")
    set_.add_argument("project_id")
    set_.add_argument("channel", choices=[each.value for each in Channel])
    set_.add_argument("--name", default="", help="what people know it by")
    set_.add_argument("--settings", default="{}", help='JSON, e.g. {"sender": {"email": "no-reply@example.com"}}')
    return words


def _add_projects(verbs: Any) -> None:
    verbs.add_parser("create", help="a new project").add_argument("name")
    limits = verbs.add_parser("limits", help="how much a project may ask for; what is not given is as everywhere")
    limits.add_argument("project_id")
    limits.add_argument("--requests-per-second", type=_positive)
    limits.add_argument("--burst", type=_count)
    limits.add_argument("--notifications-per-day", type=_count)
    limits.add_argument("--weight", type=_weight, help=f"its share beside other projects in a lane, 1 to {MOST_WEIGHT}")
    join = verbs.add_parser("join", help="a person who has signed in becomes a member, or one of another role")
    join.add_argument("project_id")
    join.add_argument("user_id")
    join.add_argument("--role", choices=[each.value for each in Role], default=Role.OWNER.value)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _weight(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MOST_WEIGHT:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MOST_WEIGHT}")
    return value


def _scopes(text: str) -> list[Scope]:
    try:
        return [Scope(each) for each in dict.fromkeys(text.split(","))]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
