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

from tests.architecture.conftest import FOLDERS, FUNCTIONS, ROOT, SENDERS
from tests.functions.conftest import ENVIRONMENT, EVENTS

if TYPE_CHECKING:
    from pathlib import Path

# Whose number of modules is Python's affair, and what is loaded under test.
STANDARD = {*sys.stdlib_module_names, "handler", "__main__"}

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
    return subprocess.run(
        command, cwd=elsewhere, env=_environment(more or {}), capture_output=True, text=True, check=False
    )


def _environment(more: dict[str, str]) -> dict[str, str]:
    """Region and credentials are what Lambda sets; nothing may be asked of AWS with them."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_"))}
    return mine | ENVIRONMENT | {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"} | more


@pytest.mark.parametrize("folder", FOLDERS)
def test_loading_a_function_touches_nothing_outside_its_process(loaded, folder: str):
    assert loaded[folder].returncode == 0, loaded[folder].stderr
    assert not loaded[folder].stderr


AWS = "boto3 botocore.session botocore.client urllib3"
# Powertools' resolver brings asyncio, and descriptions of every event that AWS has.
FRAMEWORK = "asyncio aws_lambda_powertools.event_handler aws_lambda_powertools.utilities.data_classes"
# The models, and what describes them: needed when there is a body to be read, and when somebody asks for the document.
MODELS = (
    "pydantic nofy.runtime.api.models nofy.runtime.api.schemas nofy.runtime.api.operations nofy.runtime.api.openapi"
    " nofy.runtime.api.console_models nofy.runtime.api.dead_letter_models nofy.runtime.api.sign_in_models"
)
API = f"{AWS} {FRAMEWORK} {MODELS} psycopg2 redis kafka jwt cryptography nofy.domain.limits nofy.adapters.kafka"


# A cold start loads what the hot path uses: each driver costs tens to hundreds of milliseconds.
@pytest.mark.parametrize(
    ("folder", "never"),
    # (Powertools itself imports botocore's bare package, to introduce itself to AWS.)
    [(folder, API) for folder in ("producer", "console", "session")]
    + [(folder, "psycopg2 redis kafka pydantic boto3") for folder in SENDERS]
    + [("consumer", "redis pydantic"), ("acks", "kafka boto3 pydantic"), ("dlq", "kafka redis boto3 pydantic")]
    + [("dispatcher", "boto3 pydantic"), ("reconciler", "boto3 pydantic"), ("migrate", "kafka redis boto3 pydantic")]
    + [("operator", "kafka redis boto3 pydantic")],
)
def test_a_function_does_not_load_what_it_never_uses(loaded, folder: str, never: str):
    assert not _modules(loaded[folder]) & set(never.split())


# The standard library's are left out: their number is Python's. (The producer had 255 before ADR 9, the console 266.)
@pytest.mark.parametrize(
    ("folder", "most"),
    [("producer", 135), ("console", 145), ("session", 95), ("consumer", 105), ("dispatcher", 100), ("reconciler", 100)]
    + [("acks", 92), ("dlq", 88), ("operator", 98), ("migrate", 75), ("keys", 78), ("vault", 82)]
    + [(folder, 85) for folder in SENDERS],
)
def test_a_function_loads_so_many_modules_at_most(loaded, folder: str, most: int):
    ours = [each for each in _modules(loaded[folder]) if each.partition(".")[0] not in STANDARD]
    assert len(ours) <= most, sorted(ours)


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


IN_LAMBDA = {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}


@pytest.mark.parametrize(
    ("folder", "more", "ahead", "never"),
    [
        ("producer", {}, "psycopg2.extras redis nofy.runtime.api.models", f"{AWS} kafka jwt nofy.runtime.api.openapi"),
        ("producer", CLOUD, "psycopg2.extras redis botocore.auth botocore.session", "boto3 kafka jwt"),
        ("console", {}, "psycopg2.extras redis boto3 jwt.algorithms nofy.adapters.jose.verifying", "kafka pydantic"),
        ("session", {}, "boto3 jwt.algorithms urllib3 nofy.runtime.api.sign_in_models", "psycopg2 redis kafka"),
    ]
    + [(folder, {}, "boto3", "psycopg2 redis kafka pydantic") for folder in SENDERS]
    + [("dlq", {}, "", "psycopg2 redis kafka boto3 pydantic")],
)
def test_in_lambda_what_a_first_request_surely_needs_is_loaded_before_it(
    folder: str, more: dict[str, str], ahead: str, never: str, tmp_path: Path
):
    process = _load(folder, tmp_path, more | IN_LAMBDA)  # and still it touches nothing outside its process
    assert set(ahead.split()) <= _modules(process)
    assert not set(never.split()) & _modules(process)


FIRST_NOTIFICATION = """
import json, os, random, sys

sys.path[:0] = sys.argv[1:]
from bench.first_request import handler
from nofy.domain import tokens
from nofy.domain.tokens import Mode

class Context:
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

event = json.loads(os.environ.pop("EVENT"))
event["headers"] = {"Authorization": "Bearer " + tokens.generate(Mode.LIVE, random.Random(8).choice)}
before = set(sys.modules)
answer = handler(event, Context)
print(json.dumps([answer["statusCode"], sorted(set(sys.modules) - before)]))
"""


def test_the_first_notification_in_lambda_loads_nothing_that_was_not_loaded_ahead(tmp_path: Path):
    environment = _environment(IN_LAMBDA | {"EVENT": (EVENTS / "api_post_notification.json").read_text("utf-8")})
    command = [sys.executable, "-B", "-c", FIRST_NOTIFICATION, str(FUNCTIONS / "producer"), str(ROOT)]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    status, loaded_by_it = json.loads(ended.stdout.splitlines()[-1])
    # (a few of the standard library's come with a host name and a file of the package)
    assert (status, [each for each in loaded_by_it if each.partition(".")[0] not in STANDARD]) == (202, [])


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
