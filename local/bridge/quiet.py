"""Kafka's client says the same thing twenty times a second, for each partition, while a broker is away."""

from __future__ import annotations

import logging

PAUSE_SECONDS = 5.0


class OnceInAWhile(logging.Filter):
    """Lets a line through only if its logger has said nothing of that kind for some seconds."""

    def __init__(self, seconds: float = PAUSE_SECONDS) -> None:
        super().__init__()
        self._seconds = seconds
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """By the message before its values are filled in: they differ each time, the kind does not."""
        kind = (record.name, str(record.msg))
        last = self._said.get(kind)
        if last is not None and record.created - last < self._seconds:
            return False
        self._said[kind] = record.created
        return True


def calm(name: str) -> None:
    """A filter on a logger does not see its children's lines, so it goes on a handler that the parent has."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(OnceInAWhile())
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    logger.propagate = False
