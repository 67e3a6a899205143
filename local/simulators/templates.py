"""The message templates of the simulated WhatsApp account, by (name, language), with their parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEHOLDER: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Template:
    """An approved template. Placeholders are ``{{1}}`` (positional) or ``{{customer}}`` (named)."""

    name: str
    language: str
    body: str
    header: str = ""
    header_media: str = ""  # image, video or document
    footer: str = ""
    buttons: tuple[Mapping[str, Any], ...] = field(default=())
    category: str = "UTILITY"

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Template:
        """From JSON; raises TypeError or KeyError when it is not one."""
        known = {name: str(fields[name]) for name in cls.__slots__ if name in fields and name != "buttons"}
        return cls(**{"language": "en_US"} | known, buttons=tuple(fields.get("buttons", ())))

    def expects(self, component: str) -> list[str]:
        """The placeholders of ``header`` or ``body``, in order, each once."""
        if component == "header" and self.header_media:
            return [self.header_media]
        return list(dict.fromkeys(_PLACEHOLDER.findall(self.header if component == "header" else self.body)))

    @property
    def named(self) -> bool:
        return any(not name.isdigit() for name in self.expects("body"))

    def filled(self, component: str, values: Mapping[str, str]) -> str:
        text = self.header if component == "header" else self.body
        return _PLACEHOLDER.sub(lambda match: values.get(match.group(1), match.group()), text)


APPROVED: Final = (
    Template("hello_world", "en_US", "Welcome and congratulations!!", header="Hello World",
             footer="WhatsApp Business Platform sample message"),
    Template("deploy_finished", "en_US", "Build {{1}} is live in {{2}}.", footer="Sent by Nofy"),
    Template("deploy_finished", "de", "Build {{1}} läuft jetzt in {{2}}.", footer="Gesendet von Nofy"),
    Template("order_shipped", "en_US",
             "Hi {{1}}, your order {{2}} is on its way and should arrive on {{3}}.",
             header="Your order has shipped", footer="Reply STOP to opt out",
             buttons=({"type": "url", "text": "Track parcel"},
                      {"type": "quick_reply", "text": "Contact us"})),
    Template("report_ready", "en_US", "Hello {{customer}}, your {{report}} report is ready.",
             header_media="image", buttons=({"type": "url", "text": "Open report"},)),
    Template("login_code", "en_US", "*{{1}}* is your verification code. For your security, do not share it.",
             footer="This code expires in 10 minutes.", buttons=({"type": "copy_code", "text": "Copy code"},),
             category="AUTHENTICATION"),
)  # fmt: skip


class TemplateBook:
    """What this account has; more can be added through ``POST /_control/templates``."""

    def __init__(self) -> None:
        self._templates: dict[tuple[str, str], Template] = {}
        self.reset()

    def add(self, template: Template) -> None:
        self._templates[(template.name, template.language)] = template

    def find(self, name: str, language: str) -> Template | None:
        return self._templates.get((name, language))

    def shown(self) -> list[dict[str, Any]]:
        return [
            {"name": template.name, "language": template.language, "category": template.category,
             "header": template.header, "header_media": template.header_media, "body": template.body,
             "footer": template.footer, "buttons": list(template.buttons)}
            for template in list(self._templates.values())
        ]  # fmt: skip

    def reset(self) -> None:
        self._templates = {(template.name, template.language): template for template in APPROVED}
