"""``python -m local.simulators --host 127.0.0.1 --port 8025 --state-dir .local/simulators``."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from local.simulators.rates import Limits, Rate
from local.simulators.server import Server


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.simulators", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the only address it listens on")
    parser.add_argument("--port", type=int, default=8025)
    parser.add_argument("--state-dir", type=Path, help="keep the inbox and the ledger there over restarts")
    parser.add_argument("--rate-limits", choices=("on", "off"), default="off")
    parser.add_argument("--slack-burst", type=int, default=5, help="per channel, then 1 a second")
    parser.add_argument("--brevo-rate", type=int, default=1000, help="requests a second")
    parser.add_argument("--whatsapp-rate", type=int, default=80, help="messages a second from the number")
    parser.add_argument("--whatsapp-pair-burst", type=int, default=45, help="per person, then 1 in 6 s")
    parser.add_argument("--verbose", action="store_true", help="a line per request")
    return parser.parse_args()


def limits_from(args: argparse.Namespace) -> Limits:
    return Limits(
        enforced=args.rate_limits == "on",
        slack_channel=Rate(1, args.slack_burst),
        brevo_account=Rate(args.brevo_rate, args.brevo_rate),
        whatsapp_number=Rate(args.whatsapp_rate, args.whatsapp_rate),
        whatsapp_pair=Rate(1 / 6, args.whatsapp_pair_burst),
    )


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    args = arguments()
    server = Server(args.host, args.port, state_dir=args.state_dir, limits=limits_from(args), verbose=args.verbose)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with server:
        print(f"inbox and simulators at {server.url}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
