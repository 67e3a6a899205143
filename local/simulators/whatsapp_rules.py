"""What the WhatsApp Cloud API demands of a message (reference, 3.1 to 3.4), and its errors (3.7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from local.simulators import credentials

if TYPE_CHECKING:
    from local.simulators.templates import Template, TemplateBook

TEXT_LIMIT: Final = 4_096
CALLBACK_DATA_LIMIT: Final = 512
INTERACTIVE_BODY_LIMIT: Final = 1_024
BUTTONS_LIMIT: Final = 3
BUTTON_TITLE_LIMIT: Final = 20
TEMPLATE_BODY_LIMIT: Final = 1_024

Body = Mapping[str, Any]

# code -> (HTTP status, title). Statuses are those of Meta's older table, which lists them: "do not classify
# by HTTP status" is easiest to learn from a simulator whose throttles are 400.
ERRORS: Final[dict[int, tuple[int, str]]] = {
    0: (401, "AuthException"),
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "API Too Many Calls"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    200: (403, "API Permission"),
    368: (403, "Temporarily blocked for policies violations"),
    80007: (400, "Rate limit issues"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Account has been locked"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement."),
    131051: (400, "Unsupported message type"),
    131053: (400, "Media upload error"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Translated text too long"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is paused"),
    132018: (400, "There's an issue with the parameters in your template"),
    133004: (503, "Server temporarily unavailable"),
    133010: (400, "Phone number not registered"),
    135000: (400, "Generic user error"),
}

THROTTLES: Final = frozenset({4, 80007, 130429, 131048, 131056})


class Invalid(ValueError):  # noqa: N818 - it is the message that is in error
    """The message breaks a rule; `code` is Meta's, the text goes to ``error_data.details``."""

    def __init__(self, code: int, details: str) -> None:
        super().__init__(details)
        self.code = code


def wa_id(to: str) -> str:
    """The digits Meta makes of `to`: without a plus, the business number's country code is put in front."""
    digits = re.sub(r"\D", "", to)
    return digits if to.strip().startswith("+") else credentials.WHATSAPP_COUNTRY_CODE + digits


def check_envelope(body: Body) -> None:
    """What every message needs; raises :class:`Invalid`."""
    if body.get("messaging_product") != "whatsapp":
        raise Invalid(100, "The parameter messaging_product is required.")
    to = body.get("to")
    if not to:
        raise Invalid(100, "The parameter to is required.")
    if not isinstance(to, str) or not re.fullmatch(r"\+?[\d ()-]+", to) or not 7 <= len(wa_id(to)) <= 15:
        raise Invalid(131009, "Parameter value is not valid: to is not a phone number.")
    if wa_id(to) == credentials.WHATSAPP_DISPLAY_NUMBER:
        raise Invalid(131021, "Sender and recipient phone number is the same.")
    if len(str(body.get("biz_opaque_callback_data", ""))) > CALLBACK_DATA_LIMIT:
        raise Invalid(100, f"biz_opaque_callback_data must be at most {CALLBACK_DATA_LIMIT} characters long.")


def check_message(body: Body, templates: TemplateBook) -> None:
    """The part named by ``type``; raises :class:`Invalid`."""
    kind = body.get("type")
    if not kind:
        raise Invalid(100, "The parameter type is required.")
    if (check := _CHECKS.get(str(kind))) is None:
        raise Invalid(131051, f"Message type {kind} is not supported.")
    part = body.get(str(kind))
    if not isinstance(part, dict):
        raise Invalid(131008, f"Required parameter is missing: {kind}.")
    if kind == "template":
        check_template(part, templates)
    else:
        check(part, str(kind))


def _check_text(part: Body, kind: str) -> None:
    text = part.get("body")
    if not isinstance(text, str) or not text.strip():
        raise Invalid(131008, f"Required parameter is missing: {kind}.body.")
    if len(text) > TEXT_LIMIT:
        raise Invalid(100, f"Param text['body'] must be at most {TEXT_LIMIT} characters long.")


def _check_media(part: Body, kind: str) -> None:
    link = part.get("link")
    if not link and not part.get("id"):
        raise Invalid(131008, f"Required parameter is missing: {kind}.link or {kind}.id.")
    if link and not re.match(r"https?://", str(link)):
        raise Invalid(131009, f"Parameter value is not valid: {kind}.link is not a URL.")


def _check_interactive(part: Body, kind: str) -> None:
    body, action = part.get("body"), part.get("action")
    if not isinstance(body, dict) or not body.get("text") or not isinstance(action, dict):
        raise Invalid(131008, f"Required parameter is missing: {kind}.body or {kind}.action.")
    if len(str(body["text"])) > INTERACTIVE_BODY_LIMIT:
        raise Invalid(131009, f"Body text must be at most {INTERACTIVE_BODY_LIMIT} characters long.")
    buttons = action.get("buttons", [])
    if not isinstance(buttons, list) or not all(isinstance(button, dict) for button in buttons):
        raise Invalid(131009, "Parameter value is not valid: action.buttons.")
    if part.get("type") == "button" and not 1 <= len(buttons) <= BUTTONS_LIMIT:
        raise Invalid(131009, f"A message has 1 to {BUTTONS_LIMIT} reply buttons.")
    titles = [reply.get("title") for button in buttons if isinstance(reply := button.get("reply"), dict)]
    if any(len(str(title)) > BUTTON_TITLE_LIMIT for title in titles):
        raise Invalid(131009, f"Button title must be at most {BUTTON_TITLE_LIMIT} characters long.")


def _anything(part: Body, kind: str) -> None:
    """Types that Nofy does not send itself are let through."""


_CHECKS: Final[dict[str, Callable[[Body, str], None]]] = {
    "text": _check_text,
    "interactive": _check_interactive,
    **dict.fromkeys(("image", "document", "video", "audio", "sticker"), _check_media),
    **dict.fromkeys(("template", "location", "contacts", "reaction"), _anything),
}


def check_template(part: Body, templates: TemplateBook) -> None:
    """Known in this language, and as many parameters as it has placeholders."""
    template = find_template(part, templates)
    if template is None:
        name, language = part.get("name"), language_of(part)
        raise Invalid(132001, f"template name ({name}) does not exist in {language}")
    for component in ("header", "body"):
        given, expected = list(parameters(part, component)), template.expects(component)
        if len(given) != len(expected):
            count = f"number of localizable_params ({len(given)}) does not match"
            raise Invalid(132000, f"{component}: {count} the expected number of params ({len(expected)})")
        for parameter in given:
            _check_parameter(parameter, template, component)
    if len(template.filled("body", values_of(part, template, "body"))) > TEMPLATE_BODY_LIMIT:
        raise Invalid(132005, "body: the filled-in text is too long")


def _check_parameter(parameter: Body, template: Template, component: str) -> None:
    kind = parameter.get("type")
    if component == "header" and template.header_media:
        if kind != template.header_media:
            raise Invalid(132012, f"header: expected {template.header_media}, received {kind}")
        return
    text = text_of(parameter)
    if not text:
        raise Invalid(131008, f"{component}: Parameter of type text is missing text value")
    if re.search(r"[\n\t]| {5,}", text):
        details = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"
        raise Invalid(132018, details)
    named = template.named and component == "body"
    if named and parameter.get("parameter_name") not in template.expects("body"):
        raise Invalid(100, "Parameter name is missing or empty")


def find_template(part: Body, templates: TemplateBook) -> Template | None:
    return templates.find(str(part.get("name")), language_of(part))


def language_of(part: Body) -> str:
    language = part.get("language")
    return str(language.get("code", "")) if isinstance(language, dict) else ""


def parameters(part: Body, component: str) -> Iterator[Body]:
    """The parameters of a component; its type is spelt in either case."""
    components = part.get("components")
    for found in components if isinstance(components, list) else ():
        if isinstance(found, dict) and str(found.get("type", "")).lower() == component:
            given = found.get("parameters")
            yield from (item for item in given if isinstance(item, dict)) if isinstance(given, list) else ()


def values_of(part: Body, template: Template, component: str) -> dict[str, str]:
    """Placeholder -> text: by name where the parameters have one, else by position."""
    names, given = template.expects(component), list(parameters(part, component))
    return {
        str(parameter.get("parameter_name") or name): text_of(parameter)
        for name, parameter in zip(names, given, strict=False)
    }


def text_of(parameter: Body) -> str:
    """Text, or what a currency or a date falls back to."""
    nested = parameter.get(str(parameter.get("type")))
    if isinstance(nested, dict):
        return str(nested.get("fallback_value", ""))
    return str(parameter.get("text", ""))
