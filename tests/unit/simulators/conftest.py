"""The simulators on a port of their own, and a client that speaks to them as a sender would."""

import http.client
import json
import time
from types import SimpleNamespace
from urllib.parse import quote, urlencode

import pytest

from local.simulators import credentials
from local.simulators.rates import Limits, Rate
from local.simulators.server import Server
from local.simulators.world import World

JSON = "application/json; charset=utf-8"
WHATSAPP = f"/whatsapp/v25.0/{credentials.WHATSAPP_PHONE_NUMBER_ID}/messages"


class MovableClock:
    """Real time, until a test moves it forward."""

    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


class Client:
    """One call per method; an answer has `status`, `headers`, `text` and (where it is JSON) `body`."""

    def __init__(self, server, clock):
        self.server = server
        self.clock = clock
        self.host, self.port = server.server_address[:2]

    def call(self, method, path, body=None, *, content_type=JSON, timeout=5, **headers):
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path, raw, {"Content-Type": content_type, **named} if raw else named)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        parsed = json.loads(text) if "json" in (response.headers["Content-Type"] or "") else None
        return SimpleNamespace(status=response.status, headers=response.headers, text=text, body=parsed)

    def slack(self, channel="C0DEMO", *, token=credentials.SLACK_BOT_TOKEN, about=None, timeout=5, **body):
        body = {"channel": channel, **(body or {"text": "Build 42 is live"})}
        if about:
            body["metadata"] = {"event_type": "x", "event_payload": {"delivery_id": about}}
        bearer = f"Bearer {token}" if token else None
        path = "/slack/api/chat.postMessage"
        return self.call("POST", path, body, authorization=bearer, timeout=timeout)

    def slack_form(self, token=credentials.SLACK_BOT_TOKEN, **fields):
        body = urlencode({"token": token, **fields}).encode()
        return self.call("POST", "/slack/api/chat.postMessage", body, content_type="application/x-www-form-urlencoded")

    def webhook(self, body, service="B0LOCAL", path=None):
        return self.call("POST", path or f"/slack/services/T0LOCAL/{service}/nofylocal", body)

    def email(self, to="ada@example.com", *, key=credentials.BREVO_API_KEY, about=None, timeout=5, **changes):
        headers = {"headers": {"X-Mailin-custom": about}} if about else {}
        return self.email_changed({"to": [{"email": to}], **headers, **changes}, key=key, timeout=timeout)

    def email_changed(self, changes, *, key=credentials.BREVO_API_KEY, timeout=5):
        """A good message with other fields; None leaves a field out."""
        good = {
            "sender": {"name": "Nofy", "email": "no-reply@example.com"},
            "to": [{"email": "ada@example.com"}],
            "subject": "Deploy finished",
            "htmlContent": "<p>Build 42 is live</p>",
        }
        body = {name: value for name, value in (good | changes).items() if value is not None}
        return self.call("POST", "/brevo/v3/smtp/email", body, api_key=key, timeout=timeout)

    def whatsapp(self, to="+15550100001", *, token=credentials.WHATSAPP_TOKEN, about=None, timeout=5, **changes):
        body = {
            "messaging_product": "whatsapp",
            "to": to,
            "type": "text",
            "text": {"body": "Build 42 is live"},
            **({"biz_opaque_callback_data": about} if about else {}),
            **changes,
        }
        body = {name: value for name, value in body.items() if value is not None}
        bearer = f"Bearer {token}" if token else None
        return self.call("POST", WHATSAPP, body, authorization=bearer, timeout=timeout)

    def template(self, name, *params, language="en_US", to="+15550100001", components=None):
        body = [{"type": "body", "parameters": [{"type": "text", "text": text} for text in params]}]
        part = {"name": name, "language": {"code": language}, "components": components or body}
        return self.whatsapp(to, type="template", template=part, text=None)

    def send(self, channel, recipient, about=None, timeout=5):
        """The plainest message on any channel."""
        sends = {"slack": self.slack, "email": self.email, "whatsapp": self.whatsapp}
        return sends[channel](recipient, about=about, timeout=timeout)

    def script(self, recipient, *words, **more):
        body = {"recipient": recipient, "script": list(words), **more}
        return self.call("POST", "/_control/faults", body)

    def heal(self, recipient):
        return self.call("DELETE", f"/_control/faults/{quote(recipient, safe='')}")

    def ledger(self, **query):
        return self.call("GET", f"/_control/ledger?{urlencode(query)}").body

    def outcomes(self):
        return [(call["outcome"], call["accepted"]) for call in self.ledger()]

    def messages(self, **query):
        return self.call("GET", f"/inbox/messages?{urlencode(query)}").body["messages"]


def client_of(limits=None, state_dir=None):
    clock = MovableClock()
    server = Server(world=World.create(state_dir, limits, clock))
    server.poll_seconds = 0.002
    return Client(server, clock)


@pytest.fixture
def sim():
    client = client_of()
    with client.server:
        yield client


@pytest.fixture
def limited():
    """With small limits enforced, so that a test reaches them in a few calls."""
    limits = Limits(
        enforced=True,
        slack_channel=Rate(per_second=1, burst=2),
        brevo_account=Rate(per_second=1, burst=2),
        whatsapp_pair=Rate(per_second=1 / 6, burst=2),
        whatsapp_number=Rate(per_second=0.5, burst=3),
    )
    client = client_of(limits)
    with client.server:
        yield client


@pytest.fixture
def restartable(tmp_path):
    """A function that starts the simulators anew on the same state."""
    running = []

    def start():
        for client in running:
            client.server.stop()
        running[:] = [client_of(state_dir=tmp_path / "state")]
        running[0].server.__enter__()
        return running[0]

    yield start
    running[0].server.stop()
