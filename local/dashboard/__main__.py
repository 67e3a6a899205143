"""``python -m local.dashboard --port 18080 --files dist --api URL --appwrite-endpoint URL --appwrite-project ID``."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from local.dashboard.server import Server, Site


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="local.dashboard")
    parser.add_argument("--host", default="127.0.0.1", help="the only address it listens on")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--api", required=True, help="where /v1/* is passed on to")
    parser.add_argument("--appwrite-endpoint", required=True)
    parser.add_argument("--appwrite-project", required=True)
    asked = parser.parse_args()
    site = Site(asked.files, asked.api, asked.appwrite_endpoint, asked.appwrite_project)
    server = Server(asked.host, asked.port, site)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"dashboard at http://{asked.host}:{asked.port}", flush=True)
    stop.wait()


if __name__ == "__main__":
    main()
