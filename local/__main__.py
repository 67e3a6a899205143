"""``python -m local up|down|status|logs``: the verbs behind the Makefile's."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import TYPE_CHECKING

from local import bringup, logs, status
from local.choices import KafkaKind
from local.processes import Home
from local.progress import Progress
from local.stack import Stack, directory
from local.terminal import told

if TYPE_CHECKING:
    from collections.abc import Callable


def up(_: argparse.Namespace) -> int:
    began = time.monotonic()
    stack = bringup.up(os.environ, Progress())
    made = json.loads((stack.directory / "stack.json").read_text())
    print(f"the stack is up ({time.monotonic() - began:.0f} s)")
    print(f"  dashboard  {made['dashboard_url']}  (ada@example.com, nofy-local-ada)")
    print(f"  api        {made['api_url']}")
    print(f"  inbox      {made['inbox_url']}")
    print(f"  token      in {stack.directory / 'stack.json'}")
    if stack.kafka is KafkaKind.TANSU:
        print("  kafka      is Tansu: memory-only, and its lag is not to be trusted")
    return 0


def down(_: argparse.Namespace) -> int:
    bringup.down(Home(directory(os.environ)))
    print("the stack is down")
    return 0


def show_status(_: argparse.Namespace) -> int:
    stack = Stack.load(directory(os.environ))
    if stack is None:
        print("no stack is up (make up)")
        return 1
    lines = status.look(stack)
    print(status.table(lines))
    return 0 if all(line.healthy for line in lines) else 1


def show_logs(asked: argparse.Namespace) -> int:
    stack = Stack.load(directory(os.environ))
    if stack is None:
        print("no stack is up (make up)")
        return 1
    print(logs.show(stack, asked.name or None))
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="up|down|status|logs")
    actions: dict[str, Callable[[argparse.Namespace], int]] = {"up": up, "down": down, "status": show_status}
    for name, action in actions.items():
        verbs.add_parser(name).set_defaults(action=action)
    for_logs = verbs.add_parser("logs")
    for_logs.add_argument("name", nargs="?", help="a function or a server; without it the end of each log")
    for_logs.set_defaults(action=show_logs)
    return parser.parse_args()


def main() -> int:
    asked = parse()
    return told(lambda: int(asked.action(asked)))


if __name__ == "__main__":
    sys.exit(main())
