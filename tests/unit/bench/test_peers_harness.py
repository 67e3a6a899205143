from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from bench import peers
from bench.peers import plan, stores
from bench.peers.processes import PeerError, Processes


def test_batches_hold_every_number_once_a_hundred_at_most():
    made = list(plan.batches(250, 1_000))
    assert [len(each) for each in made] == [100, 100, 50]
    texts = [each["content"]["text"].split(":")[0] for batch in made for each in batch]
    assert texts == [f"bench-{number}" for number in range(1_000, 1_250)]


def test_items_are_due_at_a_steady_rate():
    due = plan.moments(50, 0.1, 1_000.0, 7)
    assert due == pytest.approx({7: 1_000.0, 8: 1_000.02, 9: 1_000.04, 10: 1_000.06, 11: 1_000.08})
    assert len(due) == plan.scheduled(50, 0.1)


@pytest.mark.parametrize(
    ("done", "elapsed", "wanted"),
    [
        (0, 0.0, 0.05),  # nothing to judge by
        (100, 1.0, 1.0),  # nine seconds to go
        (900, 1.0, 0.05),  # a ninth of a second
        (500, 1.0, 0.25),
    ],
)
def test_rows_are_counted_the_oftener_the_nearer_the_end(done: int, elapsed: float, wanted: float):
    assert plan.pause(done, 1_000, elapsed, 0.05) == pytest.approx(wanted)


def test_a_peers_connections_see_its_own_tables_and_wait_for_the_disk():
    found = stores.in_schema("postgresql://o:p@127.0.0.1:1/nofy", "peer_celery")
    assert found.endswith("/nofy?options=-c%20search_path%3Dpeer_celery%20-c%20synchronous_commit%3Don")
    assert "?sslmode=disable&options=" in stores.in_schema("postgresql://h/d?sslmode=disable", "peer_celery")


def test_a_peers_messages_have_a_redis_database_of_their_own():
    assert stores.numbered("redis://127.0.0.1:6379/0", 11) == "redis://127.0.0.1:6379/11"
    numbers = [each.redis_database for each in peers.PEERS if each.redis_database is not None]
    assert len(numbers) == len(set(numbers))
    assert 0 not in numbers


@pytest.fixture
def processes(tmp_path: Path):
    (tmp_path / "ready").mkdir()
    made = Processes(tmp_path, dict(os.environ))
    yield made
    made.close()


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_a_worker_that_ended_is_reported_with_the_end_of_its_log(processes: Processes):
    processes.start("worker-0", python("import sys; sys.exit('no broker here')"))
    with pytest.raises(PeerError, match=r"worker-0 ended with 1(.|\n)*no broker here"):
        processes.await_ready(1)


def test_the_publisher_answers_orders(processes: Processes):
    processes.start("publisher", python("import sys; [print(each, end='', flush=True) for each in sys.stdin]"))
    processes.order({"count": 3})
    assert processes.answer() == {"count": 3}


def test_what_a_worker_started_ends_with_it(processes: Processes, tmp_path: Path):
    child = "import pathlib, subprocess, sys, time; "
    child += "it = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    child += "pathlib.Path('ready', str(it.pid)).touch(); time.sleep(60)"
    processes.start("worker-0", python(child))
    processes.await_ready(1)
    (mark,) = (tmp_path / "ready").iterdir()
    processes.close()
    deadline = time.monotonic() + 10
    while _runs(int(mark.name)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _runs(int(mark.name))


def _runs(pid: int) -> bool:
    """A killed orphan that nobody has reaped yet runs no more."""
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
