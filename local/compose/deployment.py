"""The one-shot ``deploy``: topics, the CDK app, migrations and a project, into servers that are there already."""

from __future__ import annotations

import json
import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2

from local import artefacts, kafka_broker, postgres, topics
from local.compose.description import HOSTS, STACK_FILE, inside, on_localstack, outside
from local.deployment import Cdk, api_url, kick, lambda_client, make_keys, migrate
from local.environment import isolate
from local.probe import probe
from local.seed import Seed, seed, stack_file
from local.stack import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.progress import Progress
    from local.stack import Stack

# A volume that LocalStack mounts as /opt/python of every function.
LAMBDA_PACKAGES = Path("/opt/lambda-packages")


def deploy(environ: Mapping[str, str], progress: Progress) -> None:
    """May run again, over anything that an earlier run has left."""
    stack = _by_address(inside(environ))
    isolate(os.environ, stack.aws_endpoint_url)
    with progress.step("making the database and the topics"):
        _make_database(stack)
        kafka_broker.create_topics(stack.kafka_bootstrap, topics.local_topics())
    if on_localstack(environ):
        with progress.step("laying out the functions' packages"):
            lay_out_packages(LAMBDA_PACKAGES)
    outputs = _deploy(stack, progress)
    with progress.step("running the migrations, making the demo project"):
        client = lambda_client()
        migrate(stack, client)
        make_keys(client)
        kick(client)
        made = seed(_kept())
    seen = outside(environ)
    write_private(STACK_FILE, stack_file(seen, api_url(seen, outputs), made))


def wait_until_it_delivers(environ: Mapping[str, str], progress: Progress) -> None:
    """The one-shot ``ready``: the bridge has to run for it, which has to wait for the deploy."""
    stack = inside(environ)
    isolate(os.environ, stack.aws_endpoint_url)
    made = json.loads(STACK_FILE.read_text())
    url = made["api_url"].replace(made["aws_endpoint_url"], stack.aws_endpoint_url)
    with progress.step("waiting until it delivers"):
        probe(url, made["project_id"])
    progress.say(f"the stack is up\n  api    {made['api_url']}\n  inbox  {made['inbox_url']}")
    progress.say("  token  docker compose -f docker-compose.localstack.yml run --rm --no-deps deploy describe")


def lay_out_packages(folder: Path) -> None:
    """LocalStack takes layers and, on its free plan, does not apply them: functions get their content as a mount.

    This image has the Python, the processor and the C library that Lambda's has, so its packages fit.
    """
    for old in folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for source in (artefacts.DEPS_LAYER, artefacts.NOFY_PACKAGE):
        shutil.copytree(source, folder, dirs_exist_ok=True)


def _by_address(stack: Stack) -> Stack:
    """S3's clients put the bucket before a host's name, which nobody resolves; before an address they do not."""
    return replace(stack, hosts=replace(stack.hosts, aws=socket.gethostbyname(HOSTS.aws)))


def _make_database(stack: Stack) -> None:
    if not _knows_owner(stack.postgres):
        postgres.make_database(stack.postgres)


def _knows_owner(server: postgres.Postgres) -> bool:
    connection = psycopg2.connect(server.dsn(postgres.SUPERUSER, database="postgres"))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (postgres.ADMIN,))
            return cursor.fetchone() is not None
    finally:
        connection.close()


def _deploy(stack: Stack, progress: Progress) -> dict[str, str]:
    cdk = Cdk(stack)
    with progress.step("synthesising the CDK app"):
        synth, bootstrap = cdk.start_synth(), cdk.start_bootstrap()
        cdk.finish("synth", synth)
        cdk.finish("bootstrap", bootstrap)
    with progress.step("deploying it into the emulator"):
        return cdk.deploy()


def _kept() -> Seed | None:
    if not STACK_FILE.exists():
        return None
    made = json.loads(STACK_FILE.read_text())
    return Seed(made["project_id"], made["api_token"])
