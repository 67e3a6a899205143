"""``python -m local.bridge --kafka 127.0.0.1:19092 --aws http://127.0.0.1:14566 --ready-file F``: runs until stopped.

The event sources come from the SSM parameter that the deployed application publishes.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from local.bridge.invocation import lambda_client
from local.bridge.partition import PartitionReader
from local.bridge.quiet import calm
from local.bridge.source import EventSource, parse_sources
from local.environment import isolate
from local.sessions import emulated
from local.stack import CONSUMERS_PARAMETER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# What a batch in flight gets to finish and be committed when the bridge is told to stop.
GRACE_SECONDS = 3.0

log = logging.getLogger("bridge")


def main(arguments: Sequence[str] | None = None) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    log.setLevel(logging.INFO)
    calm("kafka")
    # It warns of every pause of a tenth of a second, and on a busy machine everything pauses that long.
    logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)
    asked = _parse(arguments)
    isolate(os.environ, asked.aws)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    sources = published_sources()
    readers = make_readers(sources, asked, stopping)
    bugs: list[BaseException] = []
    threads = [threading.Thread(target=_run, args=(one, stopping, bugs), daemon=True) for one in readers]
    for thread in threads:
        thread.start()
    log.info("reading %d partitions of %d topics from %s", len(readers), len(sources), asked.kafka)
    stopping.wait()
    for thread in threads:
        thread.join(GRACE_SECONDS / len(threads))
    return 1 if bugs else 0


def _run(reader: PartitionReader, stopping: threading.Event, bugs: list[BaseException]) -> None:
    """A partition that nobody reads is worse than a bridge that is seen to be down, so one bug ends them all."""
    try:
        reader.run()
    except BaseException as bug:
        log.exception("%s: the reader broke", reader.name)
        bugs.append(bug)
        stopping.set()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.bridge", description=__doc__)
    parser.add_argument("--kafka", required=True, help="bootstrap address of the broker")
    parser.add_argument("--aws", required=True, help="endpoint of the AWS emulator")
    parser.add_argument("--fetch-wait-ms", type=int, default=500, help="how long the broker may hold a fetch")
    parser.add_argument("--ready-file", required=True, type=Path, help="made once every partition is read")
    return parser.parse_args(arguments)


def published_sources() -> list[EventSource]:
    parameter = emulated().client("ssm").get_parameter(Name=CONSUMERS_PARAMETER)
    return parse_sources(parameter["Parameter"]["Value"])


def make_readers(
    sources: Sequence[EventSource], asked: argparse.Namespace, stopping: threading.Event
) -> list[PartitionReader]:
    """One per partition: they wait for their functions at the same time, and none for another."""
    partitions = [(source, number) for source in sources for number in range(source.partitions)]
    client = lambda_client(connections=len(partitions))
    ready = _Countdown(len(partitions), asked.ready_file.touch)
    return [
        PartitionReader(
            source,
            number,
            bootstrap=asked.kafka,
            fetch_wait_ms=asked.fetch_wait_ms,
            client=client,
            stopping=stopping,
            on_ready=ready.once_for(f"{source.topic}-{number}"),
        )
        for source, number in partitions
    ]


class _Countdown:
    """Calls ``then`` when everybody has reported at least once; who starts over reports again and is not counted."""

    def __init__(self, count: int, then: Callable[[], None]) -> None:
        self._count = count
        self._then = then
        self._reported: set[str] = set()
        self._lock = threading.Lock()

    def once_for(self, name: str) -> Callable[[], None]:
        def report() -> None:
            with self._lock:
                complete = len(self._reported) == self._count
                self._reported.add(name)
                if not complete and len(self._reported) == self._count:
                    self._then()

        return report


if __name__ == "__main__":
    sys.exit(main())
