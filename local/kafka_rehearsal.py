"""Run the broker once, at ``make setup``, so that every later start takes half the time.

It leaves an archive of the classes the broker loads (4 s of start become 2, and less of it on the processor that
everything else starts on too), and a formatted log folder to copy instead of a second Java per start.
"""

from __future__ import annotations

import os
import shutil
import signal

from local import artefacts, kafka_broker, processes
from local.ports import LOOPBACK, free_ports
from local.processes import Home

DUMP_SECONDS = 60.0


def rehearse() -> None:
    shutil.rmtree(artefacts.KAFKA_READY, ignore_errors=True)
    home = Home(artefacts.BUILD / "kafka-rehearsal")
    port, controller = free_ports(2)
    try:
        kafka_broker.prepare(home.data / "kafka", port, controller)
        artefacts.KAFKA_READY.mkdir(parents=True)
        shutil.copytree(home.data / "kafka" / "log", artefacts.KAFKA_READY / "log")
        record = kafka_broker.run(home, f"-XX:ArchiveClassesAtExit={artefacts.KAFKA_CLASSES}")
        kafka_broker.finish(home, f"{LOOPBACK}:{port}", record)
        os.kill(record.pid, signal.SIGTERM)
        processes.wait_until(lambda: record.process() is None, home, record, DUMP_SECONDS)
    finally:
        processes.stop(home)
        shutil.rmtree(home.root, ignore_errors=True)


if __name__ == "__main__":
    rehearse()
