"""Bring the stack up (or use the one that runs), send, watch, explain. Exit code 1 if an end was not as planned."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from local.bringup import up
from local.client import Client
from local.demo.scenes import Scene, dozen, set_the_stage
from local.demo.show import Table, timeline
from local.progress import Progress
from local.terminal import told

# Longer than the slowest scene by far: what has not ended by then will not.
PATIENCE_SECONDS = 60
LOOK_EVERY_SECONDS = 0.2


def main() -> int:
    stack = up(os.environ, Progress())
    made = json.loads((stack.directory / "stack.json").read_text())
    client, inbox = Client(made["api_url"], made["api_token"]), Client(made["inbox_url"], "")
    scenes = dozen(inbox)
    print("\nsending a dozen notifications over Slack, e-mail and WhatsApp\n")
    set_the_stage(inbox)
    _send(client, scenes)
    _watch(client, scenes)
    timeline(next(each for each in scenes if each.title == "redriven once mended"))
    return _close(scenes, made)


def _send(client: Client, scenes: list[Scene]) -> None:
    for scene in scenes:
        if not scene.in_batch:
            scene.seen = client.post("/v1/notifications", scene.body())
    batch = [each for each in scenes if each.in_batch]
    answer = client.post("/v1/notifications/batch", {"notifications": [each.body() for each in batch]})
    for scene, result in zip(batch, answer["results"], strict=True):
        scene.seen = result["notification"]
    for scene in scenes:
        if scene.once_accepted:
            scene.once_accepted(client, scene)


def _watch(client: Client, scenes: list[Scene]) -> None:
    table = Table()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (finished := all(each.ended for each in scenes)) and time.monotonic() < deadline:
        for scene in scenes:
            if not scene.ended:
                scene.look(client)
        table.draw(scenes, last=False)
        time.sleep(LOOK_EVERY_SECONDS)
    table.draw(scenes, last=True)
    if not finished:
        print(f"\nnot everything ended within {PATIENCE_SECONDS} s")


def _close(scenes: list[Scene], made: dict[str, Any]) -> int:
    wrong = [each for each in scenes if not each.as_it_should]
    for scene in wrong:
        print(f'\n"{scene.title}" should have ended as {scene.ends} in {scene.attempts} attempt(s):')
        print(json.dumps(scene.seen, indent=2))
    if wrong:
        return 1
    print(f"\nevery notification ended as it should. Read them as their recipients do: {made['inbox_url']}")
    print(f"Follow them in the dashboard: {made['dashboard_url']} (ada@example.com, nofy-local-ada)")
    print("the stack goes on running: make status, make logs, make down")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
