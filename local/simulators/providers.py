"""The three providers and AppWrite behind their paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from local.simulators.appwrite import Appwrite
from local.simulators.brevo import Brevo
from local.simulators.exchange import Reply, Request
from local.simulators.sending import send
from local.simulators.slack import SlackApi, SlackWebhook
from local.simulators.whatsapp import WhatsApp, no

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.simulators.world import World

_WEBHOOK: Final = re.compile(r"/slack/services/[^/]+/[^/]+/[^/]+")
_GRAPH: Final = re.compile(r"/whatsapp/v\d+\.\d+/[^/]+(?P<messages>/messages)?")


class Providers:
    """Finds who is meant by a path and lets them answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.slack = SlackApi(world)
        self.webhook = SlackWebhook(world)
        self.brevo = Brevo(world)
        self.whatsapp = WhatsApp(world)
        self.appwrite = Appwrite(world)
        self._houses: dict[str, Callable[[Request], Reply]] = {
            "slack": self._slack,
            "brevo": self._brevo,
            "whatsapp": self._whatsapp,
            "appwrite": self.appwrite.answer,
        }

    def answer(self, request: Request) -> Reply | None:
        """None when the path belongs to no provider."""
        house = self._houses.get(request.path.split("/")[1])
        return house(request) if house else None

    def reset(self) -> None:
        self.brevo.reset()
        self.whatsapp.reset()
        self.appwrite.reset()

    def _slack(self, request: Request) -> Reply:
        if _WEBHOOK.fullmatch(request.path):
            return self._post(request, lambda: send(self.webhook, request, self._world))
        match request.path:
            case "/slack/api/chat.postMessage":
                return self._post(request, lambda: self.slack.finish(request, send(self.slack, request, self._world)))
            case "/slack/api/auth.test":
                return self.slack.auth_test(request)
            case _:
                return Reply.json({"ok": False, "error": "unknown_method", "req_method": request.path})

    def _brevo(self, request: Request) -> Reply:
        match request.method, request.path:
            case "POST", "/brevo/v3/smtp/email":
                return send(self.brevo, request, self._world)
            case "GET", "/brevo/v3/account":
                return self.brevo.account(request)
            case _, "/brevo/v3/smtp/email" | "/brevo/v3/account":
                return Reply.json({"code": "method_not_allowed", "message": "Method not allowed"}, 405)
            case _:
                return Reply.json({"code": "document_not_found", "message": "Resource not found"}, 404)

    def _whatsapp(self, request: Request) -> Reply:
        match = _GRAPH.fullmatch(request.path)
        if match and match["messages"] and request.method == "POST":
            return send(self.whatsapp, request, self._world)
        if match and not match["messages"] and request.method == "GET":
            return self.whatsapp.phone_number(request)
        return no(100, f"Unsupported {request.method.lower()} request.").reply

    @staticmethod
    def _post(request: Request, call: Callable[[], Reply]) -> Reply:
        return call() if request.method == "POST" else Reply.text("method_not_allowed", 405)
