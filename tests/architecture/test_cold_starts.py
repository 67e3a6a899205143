"""What a function loads when Lambda starts it, and that loading it touches nothing outside the process.

Each handler is imported in a process of its own, from a folder that is not the repository's, as Lambda does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.architecture.conftest import FOLDERS, FUNCTIONS, SENDERS
from tests.functions.conftest import ENVIRONMENT

if TYPE_CHECKING:
    from pathlib import Path

LOAD = """
import json, sys

OUTSIDE = ("socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto", "subprocess.Popen", "os.system")

def watch(event, arguments):
    if event in OUTSIDE or (event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")):
        raise RuntimeError(f"importing does I/O: {event} {arguments[:2]}")

sys.addaudithook(watch)
sys.path.insert(0, sys.argv[1])
import handler
assert callable(handler.handler)
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.CompletedProcess[str]]:
    elsewhere = tmp_path_factory.mktemp("var-task")
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(FOLDERS, pool.map(lambda folder: _load(folder, elsewhere), FOLDERS), strict=True))


def _load(folder: str, elsewhere: Path, more: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-W", "error", "-c", LOAD, str(FUNCTIONS / folder)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_"))}
    # Region and credentials are what Lambda sets; nothing may be asked of AWS with them.
    environment |= ENVIRONMENT | {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"} | (more or {})
    return subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("folder", FOLDERS)
def test_loading_a_function_touches_nothing_outside_its_process(loaded, folder: str):
    assert loaded[folder].returncode == 0, loaded[folder].stderr
    assert not loaded[folder].stderr


# A cold start loads what the hot path uses: each driver costs tens to hundreds of milliseconds.
@pytest.mark.parametrize(
    ("folder", "never"),
    # (Powertools itself imports botocore's bare package, to introduce itself to AWS.)
    [("producer", "boto3 botocore.session botocore.client kafka urllib3")]
    + [("console", "boto3 botocore.session botocore.client kafka urllib3 psycopg2 redis jwt cryptography")]
    + [(folder, "psycopg2 redis kafka pydantic") for folder in SENDERS]
    + [("consumer", "redis pydantic"), ("acks", "kafka boto3 pydantic"), ("dlq", "kafka redis boto3 pydantic")]
    + [("dispatcher", "boto3 pydantic"), ("reconciler", "boto3 pydantic"), ("migrate", "kafka redis boto3 pydantic")]
    + [("operator", "kafka redis boto3 pydantic")],
)
def test_a_function_does_not_load_what_it_never_uses(loaded, folder: str, never: str):
    assert not _modules(loaded[folder]) & set(never.split())


CLOUD = {
    "POSTGRES_AUTH": "iam",
    "REDIS_URL": "rediss://nofy-dev-functions@cache.example:6379/0",
    "REDIS_AUTH": "iam",
    "REDIS_CACHE_NAME": "nofy-dev",
    "REDIS_SERVERLESS": "true",
    "KAFKA_AUTH": "iam",
}


@pytest.mark.parametrize("folder", ["producer", "reconciler"])
def test_what_signing_in_takes_is_loaded_with_the_first_connection(folder: str, tmp_path: Path):
    process = _load(folder, tmp_path, CLOUD)
    assert not _modules(process) & {"boto3", "botocore.session", "botocore.auth", "kafka", "psycopg2", "redis"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_knows_the_infrastructure_the_local_stack_or_the_tests(loaded, folder: str):
    assert not _modules(loaded[folder]) & {"aws_cdk", "infra", "local", "tests", "pytest", "hypothesis"}


def test_a_function_without_its_settings_does_not_start(tmp_path: Path):
    command = [sys.executable, "-B", "-c", LOAD, str(FUNCTIONS / "consumer")]
    ended = subprocess.run(command, cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert (
        "POSTGRES_DSN is not set; REDIS_URL is not set; KAFKA_BOOTSTRAP is not set; SENDER_FUNCTIONS is not set"
        in ended.stderr
    )


def _modules(process: subprocess.CompletedProcess[str]) -> set[str]:
    assert process.returncode == 0, process.stderr
    return set(json.loads(process.stdout))
