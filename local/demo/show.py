"""What a person sees of the demo: a table while things move, then one timeline."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.demo.scenes import Scene

_ROW = "  {:<21} {:<9} {:<7} {:<10} {:>8} {:>13}  {}"
_REASON_WIDTH = 44


class Table:
    """Drawn over itself on a terminal; where the output is no terminal, drawn once at the end."""

    def __init__(self) -> None:
        self._drawn = 0

    def draw(self, scenes: list[Scene], *, last: bool) -> None:
        if not (sys.stdout.isatty() or last):
            return
        if self._drawn:
            sys.stdout.write(f"\x1b[{self._drawn}A\x1b[J")
        head = _ROW.format("notification", "channel", "lane", "status", "attempts", "ms after due", "last reason")
        lines = [head, *(_row(each) for each in scenes)]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        self._drawn = len(lines)


def _row(scene: Scene) -> str:
    (delivery,) = scene.seen["deliveries"]
    starts = scene.starts()
    late = milliseconds(scene.seen["send_at"], min(starts)) if starts else "-"
    reasons = [delivery["reason"], *(each["reason"] for each in reversed(delivery["attempts"]))]
    why = next((each for each in reasons if each), "")
    short = why if len(why) <= _REASON_WIDTH else why[: _REASON_WIDTH - 1] + "…"
    lane, status = scene.seen["priority"], scene.seen["status"]
    return _ROW.format(scene.title, delivery["channel"], lane, status, scene.tries, late, short).rstrip()


def timeline(scene: Scene) -> None:
    """Everything that happened to one notification, in milliseconds since it was accepted."""
    print(f'\nwhat happened to "{scene.title}" ({scene.seen["id"]})\n')
    for step in scene.seen["timeline"]:
        at = milliseconds(scene.seen["created_at"], step["at"])
        print(f"  {at:>6} ms  {step['event']:<13} {step['detail'] or ''}".rstrip())


def milliseconds(start: str, end: str) -> int:
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() * 1000)
