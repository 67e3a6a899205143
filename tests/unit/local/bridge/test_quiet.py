from __future__ import annotations

import logging

from local.bridge.quiet import OnceInAWhile


def line(message: str, at: float, name: str = "kafka.cluster") -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, message, (at,), None)
    made.created = at
    return made


def test_the_same_kind_of_line_passes_once_in_a_while():
    lines = OnceInAWhile(5)
    assert [lines.filter(line("refused %s", at)) for at in (0, 1, 4.9, 5, 6)] == [True, False, False, True, False]


def test_other_lines_and_other_loggers_are_not_held_back():
    lines = OnceInAWhile(5)
    assert lines.filter(line("refused %s", 0))
    assert lines.filter(line("lost %s", 0))
    assert lines.filter(line("refused %s", 0, name="kafka.net"))
