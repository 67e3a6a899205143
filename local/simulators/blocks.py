"""Block Kit's published limits: what ``invalid_blocks`` and ``msg_blocks_too_long`` are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

BLOCKS_LIMIT: Final = 50
SECTION_TEXT_LIMIT: Final = 3_000
FIELDS_LIMIT: Final = 10
FIELD_LIMIT: Final = 2_000
HEADER_LIMIT: Final = 150
BLOCK_ID_LIMIT: Final = 255
CONTEXT_LIMIT: Final = 10
ACTIONS_LIMIT: Final = 25
# Slack publishes no figure; developers report refusals from about here on.
TOTAL_TEXT_LIMIT: Final = 13_200

Block = Mapping[str, Any]


class BlocksRefused(ValueError):  # noqa: N818 - named for what Slack does
    """Blocks that Slack would not show. `error` is its code, the text says which and why."""

    def __init__(self, detail: str, error: str = "invalid_blocks") -> None:
        super().__init__(detail)
        self.error = error


def check_blocks(blocks: Sequence[Any]) -> None:
    """Raises :class:`BlocksRefused`."""
    if len(blocks) > BLOCKS_LIMIT:
        raise BlocksRefused(f"no more than {BLOCKS_LIMIT} items allowed [json-pointer:/blocks]")
    for number, block in enumerate(blocks):
        _check_block(block, f"/blocks/{number}")
    if _text_length(blocks) > TOTAL_TEXT_LIMIT:
        raise BlocksRefused("the blocks' text is too long altogether", "msg_blocks_too_long")


def _check_block(block: Any, where: str) -> None:
    if not isinstance(block, dict):
        raise BlocksRefused(f"must be an object [json-pointer:{where}]", "invalid_blocks_format")
    if (check := _CHECKS.get(str(block.get("type")))) is None:
        raise BlocksRefused(f"unsupported type: {block.get('type')} [json-pointer:{where}/type]")
    if len(str(block.get("block_id", ""))) > BLOCK_ID_LIMIT:
        raise BlocksRefused(f"must be less than 256 characters [json-pointer:{where}/block_id]")
    check(block, where)


def _check_section(block: Block, where: str) -> None:
    fields = block.get("fields") or []
    if "text" not in block and not fields:
        raise BlocksRefused(f"missing required field: text or fields [json-pointer:{where}]")
    if "text" in block:
        _check_text(block["text"], SECTION_TEXT_LIMIT, f"{where}/text")
    if not isinstance(fields, list) or len(fields) > FIELDS_LIMIT:
        raise BlocksRefused(f"no more than {FIELDS_LIMIT} items allowed [json-pointer:{where}/fields]")
    for number, field in enumerate(fields):
        _check_text(field, FIELD_LIMIT, f"{where}/fields/{number}")


def _check_header(block: Block, where: str) -> None:
    _check_text(block.get("text"), HEADER_LIMIT, f"{where}/text", kinds=("plain_text",))


def _check_elements(limit: int) -> Callable[[Block, str], None]:
    def check(block: Block, where: str) -> None:
        elements = block.get("elements")
        if not isinstance(elements, list) or not 1 <= len(elements) <= limit:
            raise BlocksRefused(f"must have 1 to {limit} items [json-pointer:{where}/elements]")

    return check


def _check_image(block: Block, where: str) -> None:
    if not block.get("alt_text") or not (block.get("image_url") or block.get("slack_file")):
        raise BlocksRefused(f"missing required field: image_url and alt_text [json-pointer:{where}]")


def _anything(block: Block, where: str) -> None:
    """Block types whose inside Nofy does not write itself are let through."""


_CHECKS: Final[dict[str, Callable[[Block, str], None]]] = {
    "section": _check_section,
    "header": _check_header,
    "context": _check_elements(CONTEXT_LIMIT),
    "actions": _check_elements(ACTIONS_LIMIT),
    "image": _check_image,
    **dict.fromkeys(("divider", "rich_text", "markdown", "video", "file", "table", "input"), _anything),
}


def _check_text(text: Any, limit: int, where: str, kinds: tuple[str, ...] = ("mrkdwn", "plain_text")) -> None:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        raise BlocksRefused(f"must be a text object of type {' or '.join(kinds)} [json-pointer:{where}]")
    if not isinstance(text.get("text"), str) or not text["text"]:
        raise BlocksRefused(f"must be more than 0 characters [json-pointer:{where}/text]")
    if len(text["text"]) > limit:
        raise BlocksRefused(f"must be less than {limit + 1} characters [json-pointer:{where}/text]")


def _text_length(value: Any) -> int:
    """All ``text`` strings, however deep."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_text_length(child) for name, child in value.items() if not isinstance(child, str))
    return sum(map(_text_length, value)) if isinstance(value, list | tuple) else 0
