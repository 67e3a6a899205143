"""An append-only file of JSON lines that outlives the process and stays bounded.

With ``--state-dir`` a restarted simulator still has its inbox, its ledger and (from the inbox) Brevo's memory
of idempotency keys: a provider does not forget what it accepted because a test killed the machine in between.
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class Journal:
    """The last `keep` records in `path`; the file is rewritten when it has grown to twice as many.

    Without a path it keeps nothing: the callers hold their own bounded memory anyway.
    """

    def __init__(self, path: Path | None, keep: int) -> None:
        self._path = path
        self._keep = keep
        self._lines = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            self._shorten(path)

    def records(self) -> list[Any]:
        return [] if self._path is None else [json.loads(line) for line in self._tail(self._path)]

    def append(self, record: Any) -> None:
        """Written and flushed before it returns, so that a kill loses nothing that was answered."""
        if self._path is None:
            return
        if self._lines >= 2 * self._keep:
            self._file.close()
            self._shorten(self._path)
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()
        self._lines += 1

    def clear(self) -> None:
        if self._path is not None:
            self._file.truncate(0)
            self._lines = 0

    def close(self) -> None:
        if self._path is not None:
            self._file.close()

    def _tail(self, path: Path) -> deque[str]:
        """A last line cut off by a kill is left out: nobody was told that it was stored."""
        with path.open(encoding="utf-8") as lines:
            return deque((line for line in lines if line.endswith("\n")), maxlen=self._keep)

    def _shorten(self, path: Path) -> None:
        tail = self._tail(path)
        partial = path.with_suffix(".partial")
        partial.write_text("".join(tail), encoding="utf-8")
        partial.replace(path)
        self._file = path.open("a", encoding="utf-8")
        self._lines = len(tail)
