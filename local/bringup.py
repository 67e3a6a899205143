"""``make up`` and ``make down``: from nothing to a stack that answers and delivers, and back to nothing.

What a killed stack, or a killed ``make up``, left behind is ended and deleted first, so no leftover blocks the
next start. A stack that runs is deployed again with its data kept.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local import (
    bridge_process,
    dashboard_process,
    kafka_broker,
    ministack,
    postgres,
    processes,
    redis_server,
    simulated_providers,
    topics,
)
from local.choices import KafkaKind
from local.deployment import Cdk, CdkRun, api_url, kick, lambda_client, make_keys, migrate
from local.environment import isolate
from local.people import settle_ada
from local.ports import refuse_taken
from local.probe import probe
from local.seed import Seed, seed, stack_file
from local.stack import Stack, asked_of, directory, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from local.processes import Home, Record
    from local.progress import Progress

# What a stack makes in its directory; anything else in there (the artefacts of make setup) is left alone.
OWN_FOLDERS = ("run", "data", "logs", "tmp", "cdk.out")
OWN_FILES = ("stack.json", "description.json", "context.json", "outputs.json")


class StackError(Exception):
    """The stack cannot be brought up as it is; the message says what to do."""


def up(environ: Mapping[str, str], progress: Progress) -> Stack:
    """Bring up a new stack, or deploy again into the one that runs."""
    with alone(directory(environ)):
        running = running_stack(directory(environ))
        if running is None:
            stack = Stack.from_environment(environ)
            clear(stack.home)
            refuse_taken(stack.ports, stack.parts)
            _all_or_nothing(stack, lambda: _bring_up(stack, progress))
            return stack
        _refuse_other_settings(running, environ)
        _deploy_again(running, progress)
        return running


def down(home: Home) -> None:
    with alone(home.root):
        clear(home)
        (home.root / "lock").unlink()


def clear(home: Home) -> None:
    """End every process of the stack and delete everything it made."""
    processes.stop(home)
    postgres.remove(home)
    for name in OWN_FOLDERS:
        shutil.rmtree(home.root / name, ignore_errors=True)
    for name in OWN_FILES:
        (home.root / name).unlink(missing_ok=True)


def running_stack(root: Path) -> Stack | None:
    """A stack that was brought up whole and has lost none of its processes since."""
    stack = Stack.load(root)
    if stack is None or not (root / "stack.json").exists():
        return None
    alive = {record.name for record in processes.records(stack.home) if record.process()}
    return stack if expected_processes(stack) <= alive else None


def expected_processes(stack: Stack) -> set[str]:
    kafka = set() if stack.kafka is KafkaKind.EXTERNAL else {"kafka"}
    return {"postgres", "redis", "ministack", "simulators", "bridge", "dashboard"} | kafka


def _refuse_other_settings(running: Stack, environ: Mapping[str, str]) -> None:
    """Ports and brokers cannot change under a running stack; ``make up`` without any variable means "as it is"."""
    asked = asked_of(environ)
    changed = sorted(name for name in asked if asked[name] != running.asked.get(name))
    if changed:
        raise StackError(f"a stack is running with another {', '.join(changed)}: make down first")


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """One make up or make down at a time; the lock goes with the process that holds it, however it ends."""
    root.mkdir(parents=True, exist_ok=True)
    path = root / "lock"
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"another make up or make down is at work in {root}") from None
        if not path.exists() or path.stat().st_ino != os.fstat(lock.fileno()).st_ino:
            raise StackError(f"a make down in {root} ended this very moment: try again")
        yield


def _all_or_nothing(stack: Stack, bring_up: Callable[[], None]) -> None:
    """A failure or Ctrl-C half-way ends what was started; the logs stay to be read."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        bring_up()
    except BaseException:
        processes.stop(stack.home)
        postgres.remove(stack.home)
        raise


def _bring_up(stack: Stack, progress: Progress) -> None:
    stack.save()
    isolate(os.environ, stack.aws_endpoint_url)
    cdk = Cdk(stack)
    with progress.step(f"starting PostgreSQL, Redis, Kafka ({stack.kafka}), MiniStack and the simulators"):
        synth = cdk.start_synth()
        bootstrap = _start_servers(stack, cdk)
    with progress.step("synthesising the CDK app"):
        cdk.finish("synth", synth)
        cdk.finish("bootstrap", bootstrap)
    outputs = _deploy(stack, cdk, progress)
    url = api_url(stack, outputs)
    with progress.step("making the demo project, starting the Kafka-to-Lambda bridge and the dashboard"):
        bridge = bridge_process.start(stack)
        pages = dashboard_process.start(stack, url)
        made = seed()
        settle_ada(stack, url, made.project_id)
        bridge_process.finish(stack.home, bridge)
        dashboard_process.finish(stack.home, stack.dashboard_url, pages)
    with progress.step("waiting until it delivers"):
        probe(url, made.project_id)
    write_private(stack.directory / "stack.json", stack_file(stack, url, made))


def _start_servers(stack: Stack, cdk: Cdk) -> CdkRun:
    """All at once, then waited for in the order in which they are quick; MiniStack is filled while Kafka starts."""
    home, ports = stack.home, stack.ports
    emulator = ministack.start(home, ports.aws)
    redis = redis_server.start(home, ports.redis)
    simulators = simulated_providers.start(home, ports.inbox)
    broker = _start_broker(stack)
    database = postgres.start(home, stack.postgres)
    redis_server.finish(home, ports.redis, redis)
    postgres.finish(home, stack.postgres, database)
    ministack.finish(home, stack.aws_endpoint_url, emulator)
    bootstrap = cdk.start_bootstrap()
    simulated_providers.finish(home, stack.inbox_url, simulators)
    _finish_broker(stack, broker)
    return bootstrap


def _start_broker(stack: Stack) -> Record | None:
    if stack.kafka is KafkaKind.EXTERNAL:
        return None
    return kafka_broker.start(stack.home, stack.kafka, stack.ports.kafka, stack.ports.kafka_controller)


def _finish_broker(stack: Stack, broker: Record | None) -> None:
    if broker is not None:
        kafka_broker.finish(stack.home, stack.kafka_bootstrap, broker)
    elif not kafka_broker.answers(stack.kafka_bootstrap):
        raise StackError(f"no Kafka answers at KAFKA_BOOTSTRAP={stack.kafka_bootstrap}")
    kafka_broker.create_topics(stack.kafka_bootstrap, topics.local_topics())


def _deploy(stack: Stack, cdk: Cdk, progress: Progress) -> dict[str, str]:
    """A dispatcher and a reconciler are started, not waited for: they run until the schedule's next tick."""
    with progress.step("deploying it into MiniStack"):
        outputs = cdk.deploy()
    client = lambda_client()
    with progress.step("running the migrations, making the key that signs people in"):
        migrate(stack, client)
        make_keys(client)
    kick(client)
    return outputs


def _deploy_again(stack: Stack, progress: Progress) -> None:
    """Changed code and infrastructure, same data, project and token."""
    isolate(os.environ, stack.aws_endpoint_url)
    cdk = Cdk(stack)
    with progress.step("a stack is running: synthesising the CDK app again"):
        cdk.finish("synth", cdk.start_synth())
    outputs = _deploy(stack, cdk, progress)
    url = api_url(stack, outputs)
    with progress.step("restarting the Kafka-to-Lambda bridge and the dashboard"):
        for name in ("bridge", "dashboard"):
            processes.stop(stack.home, name)
        bridge_process.finish(stack.home, bridge_process.start(stack))
        dashboard_process.finish(stack.home, stack.dashboard_url, dashboard_process.start(stack, url))
    made = json.loads((stack.directory / "stack.json").read_text())
    kept = Seed(made["project_id"], made["api_token"])
    with progress.step("waiting until it delivers"):
        probe(url, kept.project_id)
    write_private(stack.directory / "stack.json", stack_file(stack, url, kept))
