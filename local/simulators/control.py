"""The levers for tests and demos: faults, the ledger, WhatsApp's windows and templates, a reset.

=====================================  =======================================================================
``POST /_control/faults``              ``{"recipient": "ada@example.com", "script": ["503", "503", "ok"]}``;
                                       optional ``"channel": "email"`` and ``"per": "recipient"`` (the next
                                       two calls fail, not the first two of each message). ``"*"`` is
                                       everybody: ``{"recipient": "*", "channel": "slack", "script":
                                       ["503always"]}`` is an outage. Answers the script as understood.
``GET /_control/faults``               what is set at run time
``DELETE /_control/faults/RECIPIENT``  the fault is gone, also one that stands in the address itself (the
                                       recipient URL-encoded; ``*`` for everybody)
``DELETE /_control/faults``            forget what was set at run time: addresses mean what they say again
``GET /_control/ledger?since=SEQ``     every send after that sequence number, as a JSON list; narrowed by
                                       ``provider``, ``channel``, ``recipient``, ``correlation``, ``outcome``
``POST /_control/windows``             ``{"recipient": "+15550100001", "open": false}``: the 24 hour window
``POST /_control/templates``           ``{"name": "x", "language": "en_US", "body": "Hi {{1}}"}``
``GET  /_control/appwrite/users``      who has an account at AppWrite
``POST /_control/appwrite/users``      ``{"email": "x@example.com", "password": "..."}`` makes an account; with
                                       ``"verified"``, ``"blocked"``, ``"password_reset"`` (true or false) it
                                       changes one
``POST /_control/appwrite/sign-out``   ``{"email": "ada@example.com"}``: all sessions end
``POST /_control/reset``               as on the first start: inbox, ledger, faults, keys, windows, templates
=====================================  =======================================================================
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from local.simulators.exchange import Reply, Request
from local.simulators.faults import UnknownWord
from local.simulators.templates import Template
from local.simulators.whatsapp_rules import wa_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.simulators.providers import Providers
    from local.simulators.world import World

_LEDGER_FILTERS: Final = ("provider", "channel", "recipient", "correlation", "outcome")
_CHANNELS: Final = frozenset({"*", "slack", "email", "whatsapp", "appwrite"})
_USER_FLAGS: Final = ("verified", "blocked", "password_reset")


class BadControl(ValueError):  # noqa: N818 - it is the caller's error
    """A control call that cannot be understood; the text goes to the caller."""


class Control:
    """``/_control/*``."""

    def __init__(self, world: World, providers: Providers) -> None:
        self._world = world
        self._providers = providers
        self._calls: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "faults"): lambda _: Reply.json(world.faults.shown()),
            ("POST", "faults"): self._set_fault,
            ("DELETE", "faults"): self._forget_faults,
            ("GET", "ledger"): self._ledger,
            ("GET", "windows"): lambda _: Reply.json(providers.whatsapp.windows.shown()),
            ("POST", "windows"): self._set_window,
            ("GET", "templates"): lambda _: Reply.json(providers.whatsapp.templates.shown()),
            ("POST", "templates"): self._add_template,
            ("GET", "appwrite/users"): lambda _: Reply.json(providers.appwrite.accounts.shown()),
            ("POST", "appwrite/users"): self._set_user,
            ("POST", "appwrite/sign-out"): self._sign_out,
            ("POST", "reset"): self._reset,
        }

    def answer(self, request: Request) -> Reply:
        path = request.path.removeprefix("/_control/")
        try:
            if request.method == "DELETE" and path.startswith("faults/"):
                return self._heal(path.removeprefix("faults/"))
            if call := self._calls.get((request.method, path)):
                return call(request)
        except BadControl as error:
            return Reply.json({"error": str(error)}, 400)
        return Reply.json({"error": "no such control", "controls": sorted(map(" ".join, self._calls))}, 404)

    def _set_fault(self, request: Request) -> Reply:
        body = _object(request)
        recipient, script = body.get("recipient"), body.get("script")
        channel, per = body.get("channel", "*"), body.get("per", "message")
        if not isinstance(recipient, str) or not recipient:
            raise BadControl("recipient: an address, a channel id, a phone number or *")
        if not isinstance(script, list) or not all(isinstance(word, str) for word in script):
            raise BadControl('script: a list of words, for example ["503", "503", "ok"]')
        if channel not in _CHANNELS or per not in {"message", "recipient"}:
            raise BadControl("channel: slack, email, whatsapp, appwrite or *; per: message or recipient")
        try:
            override = self._world.faults.set(recipient, script, channel, per)
        except UnknownWord as word:
            raise BadControl(f"no such fault: {word}") from word
        return Reply.json({"recipient": recipient, "channel": channel, **override.shown()}, 201)

    def _heal(self, recipient: str) -> Reply:
        self._world.faults.heal(recipient)
        self._providers.whatsapp.windows.set(wa_id(recipient), is_open=True)
        return Reply.json({"recipient": recipient, "script": []})

    def _forget_faults(self, request: Request) -> Reply:  # noqa: ARG002 - nothing in it matters
        self._world.faults.clear()
        return Reply.json([])

    def _ledger(self, request: Request) -> Reply:
        only = {name: request.query[name] for name in _LEDGER_FILTERS if name in request.query}
        return Reply.json(self._world.ledger.since(_number(request.query.get("since", "0")), **only))

    def _set_window(self, request: Request) -> Reply:
        body = _object(request)
        if not isinstance(body.get("recipient"), str) or not isinstance(body.get("open"), bool):
            raise BadControl('expected {"recipient": "+15550100001", "open": false}')
        self._providers.whatsapp.windows.set(wa_id(body["recipient"]), is_open=body["open"])
        return Reply.json(self._providers.whatsapp.windows.shown(), 201)

    def _add_template(self, request: Request) -> Reply:
        try:
            self._providers.whatsapp.templates.add(Template.of(_object(request)))
        except TypeError as error:
            raise BadControl('expected at least {"name": "x", "body": "Hi {{1}}"}') from error
        return Reply.json(self._providers.whatsapp.templates.shown(), 201)

    def _set_user(self, request: Request) -> Reply:
        body = _object(request)
        accounts, email, password = self._providers.appwrite.accounts, body.get("email"), body.get("password")
        flags = {name: body[name] for name in _USER_FLAGS if name in body}
        if not isinstance(email, str) or "@" not in email or not all(isinstance(each, bool) for each in flags.values()):
            raise BadControl('expected {"email": "x@example.com", "password": "...", "verified": true}')
        user = accounts.by_email(email)
        if user is None or password is not None:
            if not isinstance(password, str):
                raise BadControl("password: a new account needs one")
            user = accounts.put(email, password, str(body.get("name", "")))
        for name, value in flags.items():
            setattr(user, name, value)
        return Reply.json(accounts.shown(), 201)

    def _sign_out(self, request: Request) -> Reply:
        accounts = self._providers.appwrite.accounts
        user = accounts.by_email(str(_object(request).get("email")))
        if user is None:
            raise BadControl("email: nobody has an account with this address")
        accounts.sign_out(user)
        return Reply.json(accounts.shown())

    def _reset(self, request: Request) -> Reply:  # noqa: ARG002 - nothing in it matters
        self._world.reset()
        self._providers.reset()
        return Reply.json({"reset": True})


def _object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise BadControl(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadControl("expected a JSON object")
    return body


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BadControl(f"since: expected a sequence number, not {text!r}") from error
