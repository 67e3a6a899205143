"""Where things stand: a verb has one home, a handler is wiring, a driver is known to its adapter alone."""

from __future__ import annotations

import ast
import json
import re
import statistics
import sys
from typing import TYPE_CHECKING

import pytest

from tests.architecture.conftest import (
    FOLDERS,
    FUNCTIONS,
    PACKAGE,
    ROOT,
    SENDERS,
    imported,
    modules_of,
    named,
    needed,
    tree_of,
)

if TYPE_CHECKING:
    from pathlib import Path

# A verb of the pipeline and the functions that carry it out: functions/<folder> <-> pipeline/<verb>.py <->
# tests/unit/pipeline/test_<verb>.py.
VERBS = {
    "accept": ["console", "producer"],  # an invitation by e-mail is a notification like any other
    "amend": ["producer"],
    "dispatch": ["dispatcher"],
    "deliver": ["consumer"],
    "send": SENDERS,
    "acknowledge": ["acks"],
    "bury": ["dlq"],
    "reconcile": ["reconciler"],
}
# Parts of a verb that two of them share, or that are worth a file: no function is called after them.
STEPS = {"credit", "group", "hedge", "lag", "report", "reserve", "target", "unread", "weights"}
# Functions that change no delivery, and so have no verb.
TOOLS = {"console", "keys", "migrate", "operator", "session", "vault"}

PIPELINE = {each.stem for each in modules_of("pipeline")} - {"__init__"}


def test_every_module_of_the_pipeline_is_a_verb_or_a_step():
    assert VERBS.keys() | STEPS == PIPELINE


def test_every_function_carries_out_a_verb_or_is_a_tool():
    assert {folder for folders in VERBS.values() for folder in folders} | TOOLS == set(FOLDERS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_its_tests(verb: str):
    assert (ROOT / "tests" / "unit" / "pipeline" / f"test_{verb}.py").is_file()


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_wired_by_its_own_functions_and_by_no_other(verb: str):
    wired = {folder for folder in FOLDERS if f"nofy.pipeline.{verb}" in _reached(folder)}
    assert wired == set(VERBS[verb])


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_functions_folder_holds_its_handler_and_nothing_else(folder: str):
    found = {each.name for each in (FUNCTIONS / folder).iterdir()} - {"__pycache__"}
    assert found == {"handler.py"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_handler_imports_nofy_and_third_parties_and_never_a_sibling(folder: str):
    roots = {each.partition(".")[0] for each in imported(tree_of(_handler(folder)))}
    assert roots - set(sys.stdlib_module_names) <= {"nofy", "aws_lambda_powertools"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_handler_fits_a_screen(folder: str):
    assert len(_handler(folder).read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_handler_loads_its_settings_first_and_is_observed(folder: str):
    tree = tree_of(_handler(folder))
    assigned = [target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    assert next(each for each in assigned if not each.isupper()) == "configured"
    (entry,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "handler"]
    assert [ast.unparse(each) for each in entry.decorator_list] == ["observed"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_handler_decides_nothing_by_itself(folder: str):
    """An if in a handler is a business rule in the wrong place; raising what a verb reported is not."""
    tree = tree_of(_handler(folder))
    inside = [
        node for function in ast.walk(tree) if isinstance(function, ast.FunctionDef) for node in ast.walk(function)
    ]
    kinds = (ast.For, ast.While, ast.Try, ast.Match)
    assert not [node for node in inside if isinstance(node, kinds)]
    assert len([node for node in inside if isinstance(node, ast.If)]) <= 1


# Each driver, and what writes JSON, with the only places that may name it. (The operator's command line speaks to AWS
# by itself.)
DRIVERS = {
    "psycopg2": ["adapters/postgres"],
    "redis": ["adapters/redis"],
    "kafka": ["adapters/kafka"],
    "urllib3": ["adapters/identity"],
    "jwt": ["adapters/jose", "adapters/identity"],
    "cryptography": ["adapters/jose"],
    "boto3": ["adapters/aws", "runtime/operator"],
    "orjson": ["domain/json_bytes"],
    "botocore": ["adapters/aws", "runtime/operator"],
    "pydantic": ["runtime/api"],
    "aws_lambda_powertools": ["runtime"],
}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_is_known_to_its_adapter_alone(driver: str):
    users = [named(each) for each in modules_of() if driver in {i.partition(".")[0] for i in imported(tree_of(each))}]
    assert users
    assert not [each for each in users if not each.startswith(tuple(DRIVERS[driver]))]


@pytest.mark.parametrize("module", modules_of(), ids=named)
def test_the_package_imports_itself_by_its_full_name(module: Path):
    assert not [each for each in imported(tree_of(module)) if each.startswith(".")]


# Time and randomness are passed in: these would be other sources of them.
FORBIDDEN_CALLS = re.compile(
    r"^(datetime\.(now|utcnow|today)|date\.today|time\.\w+|random\.\w+|secrets\.\w+|os\.urandom|uuid[14]|uuid\.uuid[14])$"
)


@pytest.mark.parametrize("module", modules_of("domain", "ports", "pipeline", "queries"), ids=named)
def test_the_inner_rings_look_at_no_clock_and_throw_no_dice(module: Path):
    calls = {ast.unparse(node.func) for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call)}
    assert not {each for each in calls if FORBIDDEN_CALLS.match(each)}


SQL = re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b")


@pytest.mark.parametrize("module", [each for each in modules_of() if each.stem != "migrate"], ids=named)
def test_sql_stands_in_sql_files(module: Path):
    """But for the migrator, whose own list of what it applied comes before all files."""
    texts = [node.value for node in ast.walk(tree_of(module)) if isinstance(node, ast.Constant)]
    assert not [each for each in texts if isinstance(each, str) and SQL.search(each)]


def test_every_named_query_is_used_and_every_query_used_is_there():
    text = "\n".join(each.read_text(encoding="utf-8") for each in modules_of("adapters/postgres"))
    named_queries = {each.stem for each in (PACKAGE / "adapters" / "postgres" / "sql").glob("*.sql")}
    used = set(re.findall(r'(?:statement|_run|_entries|_amend)\(\s*"(\w+)"', text))
    quoted = set(re.findall(r'"(\w+)"', text))
    assert used <= named_queries
    assert named_queries <= quoted


def test_migrations_are_numbered_without_a_gap():
    found = sorted(each.name for each in (PACKAGE / "adapters" / "postgres" / "migrations").glob("*.sql"))
    assert [int(each[:4]) for each in found] == list(range(1, len(found) + 1))


def test_functions_can_be_taken_in_at_a_glance():
    lengths = [
        node.end_lineno - node.lineno + 1
        for each in modules_of()
        for node in ast.walk(tree_of(each))
        if isinstance(node, ast.FunctionDef) and node.end_lineno
    ]
    assert statistics.median(lengths) <= 10
    assert sum(each <= 25 for each in lengths) / len(lengths) > 0.95


@pytest.mark.parametrize("module", modules_of(), ids=named)
def test_a_module_says_what_it_is_for_and_fits_a_few_screens(module: Path):
    assert ast.get_docstring(tree_of(module))
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 250


@pytest.mark.parametrize("event", sorted((ROOT / "tests" / "events").glob("*.json")), ids=lambda each: each.stem)
def test_an_event_is_json(event: Path):
    assert json.loads(event.read_text(encoding="utf-8"))


def _handler(folder: str) -> Path:
    return FUNCTIONS / folder / "handler.py"


def _reached(folder: str) -> set[str]:
    """The modules a handler imports, itself or by what it imports of the runtime, when it is loaded or called."""
    found: set[str] = set()
    unread = needed(tree_of(_handler(folder)))
    while unread:
        name = unread.pop()
        found.add(name)
        file = PACKAGE.parent / f"{name.replace('.', '/')}.py"
        if name.startswith("nofy.runtime.") and file.is_file():
            unread |= needed(tree_of(file)) - found
    return found
