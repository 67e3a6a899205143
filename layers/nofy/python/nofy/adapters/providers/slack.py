"""Slack: ``chat.postMessage`` for bot tokens, incoming webhooks for URLs.

Slack answers HTTP 200 for almost every failure; the verdict is ``ok`` in the body. Only throttling has a status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.adapters.providers.http import Answer, HttpClient, Request
from nofy.domain.integrations import is_webhook, secret_part, webhook_roots
from nofy.domain.outcomes import (
    Accepted,
    Outcome,
    Rejected,
    RejectionKind,
    Throttled,
    ThrottleScope,
    Transient,
    Unknown,
)

if TYPE_CHECKING:
    from nofy.domain.sending import Message

JSON = "application/json;charset=utf-8"

# chat.postMessage's errors by what is at fault, from its method reference; what stands nowhere is Transient,
# since the reference says that undocumented errors can appear.
CONFIG_ERRORS = frozenset(
    (
        "not_authed invalid_auth account_inactive token_revoked token_expired missing_scope no_permission "
        "not_allowed_token_type access_denied accesslimited team_access_not_granted two_factor_setup_required "
        "enterprise_is_restricted ekm_access_denied as_user_not_supported deprecated_endpoint "
        "method_deprecated metadata_must_be_sent_from_app team_not_found"
    ).split()
)
RECIPIENT_ERRORS = frozenset(
    (
        "channel_not_found not_in_channel is_archived messages_tab_disabled restricted_action "
        "restricted_action_read_only_channel restricted_action_thread_only_channel "
        "restricted_action_non_threadable_channel restricted_action_thread_locked cannot_reply_to_message "
        "slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked "
        "slack_connect_lists_sharing_blocked"
    ).split()
)
CONTENT_ERRORS = frozenset(
    (
        "no_text msg_blocks_too_long msg_too_long invalid_blocks invalid_blocks_format markdown_text_conflict "
        "too_many_attachments too_many_contact_cards attachment_payload_limit_exceeded missing_file_data "
        "metadata_too_large invalid_metadata_format invalid_metadata_schema invalid_arguments "
        "invalid_arg_name invalid_array_arg invalid_charset invalid_form_data invalid_post_type "
        "missing_post_type draft_already_deleted draft_already_sent draft_has_conflict draft_not_found "
        "duplicate_channel_not_found duplicate_message_not_found"
    ).split()
)
# A 429 asks for patience with "that method for that workspace", and the words speak of the app or the workspace: the
# integration, since nothing but chat.postMessage is called. That one channel had too much is told alike; limits are
# kept a channel before the call, so what is refused all the same is taken at its word.
THROTTLE_ERRORS = frozenset(("ratelimited rate_limited message_limit_exceeded").split())
# Slack says of these that part of the operation may have succeeded.
AMBIGUOUS_ERRORS = frozenset(("internal_error fatal_error").split())

# Incoming webhooks answer with a plain word and a status.
WEBHOOK_CONFIG = frozenset(
    ("action_prohibited invalid_token team_disabled no_service no_service_id no_team no_active_hooks").split()
)
WEBHOOK_RECIPIENT = frozenset(
    ("user_not_found channel_not_found channel_is_archived posting_to_general_channel_denied").split()
)


class SlackClient:
    """Implements :class:`nofy.ports.provider.ProviderClient`."""

    def __init__(self, api_url: str, http: HttpClient) -> None:
        self._api_url = api_url.rstrip("/")
        self._webhook_roots = webhook_roots(api_url)
        self._http = http

    async def call(self, message: Message, credential: str) -> Outcome:
        if message.settings.get("kind") == "webhook":
            return await self._webhook(message, credential)
        headers = {"authorization": f"Bearer {credential}", "content-type": JSON}
        body = {"channel": message.destination, **_content(message), "metadata": _metadata(message)}
        url = f"{self._api_url}/chat.postMessage"
        request = Request(url, headers, body, secret=credential)
        return await self._http.exchange(request, "/chat.postMessage", read_post, _error)

    async def _webhook(self, message: Message, address: str) -> Outcome:
        """The vault has seen the address before it was sealed; what is asked for here is looked at here."""
        if not is_webhook(address, self._webhook_roots):
            return Rejected(RejectionKind.CONFIG, "the credential is no address of an incoming webhook of Slack")
        headers = {"content-type": "application/json"}
        request = Request(address, headers, _content(message), secret=secret_part(address))
        return await self._http.exchange(request, "/services/…", read_webhook, _word)


def _error(answer: Answer) -> Any:
    return answer.json().get("error")


def _content(message: Message) -> dict[str, Any]:
    return {"unfurl_links": False, "unfurl_media": False, **message.content}


def _metadata(message: Message) -> dict[str, Any]:
    """Visible to the whole workspace, so opaque ids only: by them a later reader recognises a duplicate."""
    payload = {"delivery_id": str(message.delivery_id), "notification_id": str(message.notification_id)}
    return {"event_type": "nofy_delivery", "event_payload": payload}


def read_post(answer: Answer) -> Outcome:
    """What an answer of chat.postMessage means."""
    body = answer.json()
    if answer.status == 429:
        return Throttled("ratelimited", answer.retry_after())
    if answer.status == 503:
        return Transient("HTTP 503")
    if answer.status >= 500 or not body:
        return Unknown(f"HTTP {answer.status}")
    if body.get("ok") is True:
        return Accepted(f"{body.get('channel')}:{body.get('ts')}")
    return _refusal(str(body.get("error", f"HTTP {answer.status}")), answer)


def _refusal(error: str, answer: Answer) -> Outcome:
    if error in THROTTLE_ERRORS:
        return Throttled(error, answer.retry_after())
    if error in AMBIGUOUS_ERRORS:
        return Unknown(error)
    for kind, errors in (
        (RejectionKind.CONFIG, CONFIG_ERRORS),
        (RejectionKind.RECIPIENT, RECIPIENT_ERRORS),
        (RejectionKind.CONTENT, CONTENT_ERRORS),
    ):
        if error in errors:
            return Rejected(kind, error)
    return Transient(error)


def _word(answer: Answer) -> str | None:
    """A webhook's whole answer is its error's code."""
    return None if answer.status == 200 else answer.text()


def read_webhook(answer: Answer) -> Outcome:
    """What an answer of an incoming webhook means: 200 is success, 429 and 5xx pass, every other 4xx is final."""
    word = answer.text() or f"HTTP {answer.status}"
    if answer.status == 200:
        return Accepted()
    if answer.status == 429:
        # One address is one channel, and the limit is one a second a channel.
        return Throttled(word, answer.retry_after(), ThrottleScope.DESTINATION)
    if answer.status >= 500:
        return Transient(f"HTTP {answer.status}: {word}")
    if word in WEBHOOK_CONFIG:
        return Rejected(RejectionKind.CONFIG, word)
    if word in WEBHOOK_RECIPIENT:
        return Rejected(RejectionKind.RECIPIENT, word)
    return Rejected(RejectionKind.CONTENT, word)
