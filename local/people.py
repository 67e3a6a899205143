"""Signing in at the simulated AppWrite as the dashboard does, from a program: for the seed and the tests."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from local.client import Client, RefusedError
from local.sessions import emulated
from local.stack import SIMULATED_PROJECT, STAGE
from nofy.domain.permissions import Role
from nofy.runtime.operator import Operator

if TYPE_CHECKING:
    from local.stack import Stack

# Ready-made in local/simulators/appwrite_accounts.py. Ada owns the demo project, Grace belongs to none.
ADA = ("ada@example.com", "nofy-local-ada")
GRACE = ("grace@example.com", "nofy-local-grace")
PATIENCE_SECONDS = 60.0


def settle_ada(stack: Stack, api_url: str, project_id: str) -> None:
    """Make Ada the owner of the demo project; nobody where people sign in at a real AppWrite."""
    if stack.sign_in.project != SIMULATED_PROJECT:
        return
    user = _known(stack, api_url)["user"]["id"]
    Operator(STAGE, emulated()).join(project_id, user, Role.OWNER)


def console(appwrite_url: str, api_url: str, person: tuple[str, str]) -> Client:
    """A client of the API that is signed in as a person, for a quarter of an hour."""
    token = Client(api_url, "").post("/v1/session", {"jwt": jwt(appwrite_url, *person)})["token"]
    return Client(api_url, token)


def jwt(appwrite_url: str, email: str, password: str) -> str:
    """What a browser gets from AppWrite once a person is signed in there."""
    _, cookie = _ask(f"{appwrite_url}/account/sessions/email", {"email": email, "password": password})
    document, _ = _ask(f"{appwrite_url}/account/jwts", {}, {"cookie": cookie})
    return str(document["jwt"])


def _known(stack: Stack, api_url: str) -> dict[str, Any]:
    """Who Ada is to Nofy, which learns of her as she signs in; the gateway may need a moment to know its routes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return console(stack.sign_in.endpoint, api_url, ADA).get("/v1/me")
        except (RefusedError, urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _ask(url: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """The answer's JSON, and the cookie that came with it."""
    named = {"content-type": "application/json", "x-appwrite-project": SIMULATED_PROJECT, **(headers or {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), named, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        cookie = str(answer.headers.get("set-cookie") or "").partition(";")[0]
        return dict(json.loads(answer.read())), cookie
