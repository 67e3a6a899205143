from __future__ import annotations

from local.status import Line, table


def test_the_table_lines_up_and_shows_what_is_down():
    lines = [Line("redis", "redis://127.0.0.1:16379/0", "41", healthy=True), Line("bridge", "-", "-", healthy=False)]
    assert table(lines).splitlines() == [
        "part    address                    pid  state",
        "redis   redis://127.0.0.1:16379/0  41   healthy",
        "bridge  -                          -    DOWN",
    ]
