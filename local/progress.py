"""One line per step on the terminal, with a sign of life while a step takes longer than two seconds."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGN_OF_LIFE_SECONDS = 2.0


class Progress:
    """Prints ``  title ....  3.1 s``; the dots appear one by one while the step runs."""

    def say(self, line: str) -> None:
        print(line, flush=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        began = time.monotonic()
        finished = threading.Event()
        print(f"  {title} ", end="", flush=True)
        dots = threading.Thread(target=self._show_life, args=(finished,), daemon=True)
        dots.start()
        outcome = "failed"
        try:
            yield
            outcome = f"{time.monotonic() - began:.1f} s"
        finally:
            finished.set()
            dots.join()
            print(f" {outcome}", flush=True)

    def _show_life(self, finished: threading.Event) -> None:
        while not finished.wait(SIGN_OF_LIFE_SECONDS):
            sys.stdout.write(".")
            sys.stdout.flush()
