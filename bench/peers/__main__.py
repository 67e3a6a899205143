"""``python -m bench.peers [name ...]``: 2,000 notifications through each, and their cost; ``--late``: their lateness.

A quick look at whether they are in order and well tuned; what Nofy is compared with is measured by ``make bench``.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import stub
from bench.peers.peer import PEERS, Peer, PeerAddresses, Run
from bench.peers.processes import PeerError
from bench.peers.settings import WAKE_UP_SECONDS
from local import servers
from local.setup import SetupError

WARM_UP = 300
COUNT = 2_000
RATE, SECONDS, AHEAD = 50.0, 8.0, 2.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.peers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="celery, dramatiq, procrastinate; all without one")
    parser.add_argument("--late", action="store_true", help="how late scheduled ones come, tuned and as they come")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    wanted = [each for each in PEERS if not given.names or each.name in given.names]
    try:
        with TemporaryDirectory(prefix="nofy-peers-") as folder:
            Path(folder).chmod(0o755)  # PostgreSQL's programs run as somebody else
            _look(wanted, Path(folder), late=given.late)
    except (SetupError, PeerError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _look(peers: list[Peer], folder: Path, *, late: bool) -> None:
    with servers.postgres(folder) as owner, servers.redis(folder) as redis, stub.running() as provider:
        addresses = PeerAddresses(owner, redis, provider.url)
        for peer in peers:
            for wake_up in (WAKE_UP_SECONDS, None) if late else (WAKE_UP_SECONDS,):
                with peer.running(addresses, folder, wake_up=wake_up) as run:
                    run.throughput(WARM_UP, 0)
                    how = "" if wake_up else ", as it comes"
                    print(f"{peer.name + how:28} {_late(run, provider) if late else _quick(run)}", flush=True)


def _quick(run: Run) -> str:
    before = run.cpu_seconds()
    seconds = run.throughput(COUNT, WARM_UP)
    return f"{COUNT / seconds:7.0f}/s {run.cpu_seconds() - before:6.2f} CPU seconds of its own"


def _late(run: Run, provider: stub.Stub) -> str:
    provider.reset()
    due = run.lateness(RATE, SECONDS, AHEAD, 0)
    came = dict(provider.arrivals())
    late = sorted((came[number] - at) * 1_000 for number, at in due.items())
    return f"{statistics.median(late):7.1f} ms {late[int(len(late) * 0.99)]:7.1f} ms late (median, p99)"


if __name__ == "__main__":
    sys.exit(main())
