"""The stack in containers is the stack of ``make up``: the file is held against the descriptions of it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from infra.local_context import LocalContext
from infra.parsing import parse
from infra.settings import ROOT
from local import kafka_broker, postgres
from local.compose import __main__ as compose
from local.compose import deployment, description
from local.ports import LOOPBACK, Ports, variable
from local.stack import ProviderUrls, SignIn

EMULATORS = {"": "aws.yml", "-localstack": "aws-localstack.yml"}
OURS = "nofy-compose:local"
ONE_SHOT = {"prepare", "deploy", "ready"}
# Which service is which part of local.stack.
PARTS = {
    "postgres": "postgres",
    "valkey": "redis",
    "kafka": "kafka",
    "aws": "aws",
    "simulators": "inbox",
    "dashboard": "dashboard",
}


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


FILE = read(ROOT / "docker-compose.localstack.yml")


def services(emulator: str) -> dict[str, Any]:
    """The services, with the emulator's own file in its place."""
    own = read(ROOT / "local" / "compose" / EMULATORS[emulator])["services"]["aws"]
    return {**FILE["services"], "aws": {**own, **FILE["services"]["aws"]}}


@pytest.fixture(params=list(EMULATORS), ids=["ministack", "localstack"])
def stack(request) -> dict[str, Any]:
    return services(request.param)


@pytest.fixture
def passwords(tmp_path, monkeypatch):
    """A volume of its own for the containers' state."""
    for name in ("PASSWORDS", "SUPERUSER_PASSWORD"):
        monkeypatch.setattr(description, name, tmp_path / getattr(description, name).name)
    description.make_passwords()
    return description


def test_one_variable_chooses_the_emulator():
    assert FILE["services"]["aws"]["extends"] == {
        "file": "local/compose/aws${LOCALSTACK_AUTH_TOKEN:+-localstack}.yml",
        "service": "aws",
    }
    for name in EMULATORS.values():
        assert (ROOT / "local" / "compose" / name).exists()


def test_every_part_of_the_stack_is_a_service(stack):
    assert set(stack) == {*PARTS, "prepare", "deploy", "bridge", "ready"}


def test_every_image_is_pinned_to_a_release(stack):
    for name, service in stack.items():
        image = service["image"]
        assert image == OURS or re.fullmatch(r"[\w/]+:\d+(\.\d+){1,2}", image), name
    bases = re.findall(r"^FROM (\S+)", (ROOT / "local/compose/Dockerfile").read_text(), re.MULTILINE)
    assert all(re.fullmatch(r"\w+:\d+\.\d+\.\d+-slim-\w+|\w+:\d+\.\d+\.\d+-\w+-slim", each) for each in bases), bases


def test_servers_are_of_the_releases_that_are_tested_and_deployed():
    pom = ET.parse(ROOT / "local/kafka/pom.xml").getroot()
    namespace = {"m": "http://maven.apache.org/POM/4.0.0"}
    kafka = next(
        each.findtext("m:version", None, namespace)
        for each in pom.iterfind(".//m:dependency", namespace)
        if each.findtext("m:artifactId", None, namespace) == "kafka_2.13"
    )
    assert FILE["services"]["kafka"]["image"] == f"apache/kafka:{kafka}"
    cache = (ROOT / "infra/constructs/cache.py").read_text()
    (valkey,) = re.findall(r'engine_version="([\d.]+)"', cache)
    assert FILE["services"]["valkey"]["image"].startswith(f"valkey/valkey:{valkey}.")
    assert FILE["services"]["postgres"]["image"].startswith("postgres:18.")
    assert "VER_18" in (ROOT / "infra/constructs/database.py").read_text()


def test_our_image_has_the_python_of_the_functions():
    """Packages installed in it are mounted into LocalStack's functions."""
    dockerfile = (ROOT / "local/compose/Dockerfile").read_text()
    assert "FROM python:3.14." in dockerfile
    assert "PYTHON_3_14" in (ROOT / "infra/constructs/nofy_function.py").read_text()


def test_whatever_goes_on_running_has_a_health_check(stack):
    for name, service in stack.items():
        assert ("healthcheck" in service) == (name not in ONE_SHOT), name
        if "healthcheck" in service:
            assert set(service["healthcheck"]) == {"test", "interval", "timeout", "retries"}


def test_everything_has_a_limit_of_memory_and_of_logs(stack):
    for name, service in stack.items():
        assert "mem_limit" in service, name
        assert service["logging"]["options"]["max-size"], name


def test_what_is_needed_is_there_before_it_is_used(stack):
    waits = {name: each.get("depends_on", {}) for name, each in stack.items()}
    assert set(waits["deploy"]) == set(PARTS) - {"dashboard"}
    for name, needed in waits.items():
        for other, how in needed.items():
            ends = other in ONE_SHOT
            expected = "service_completed_successfully" if ends else "service_healthy"
            assert how == {"condition": expected}, (name, other)
    assert list(waits["bridge"]) == ["deploy"]
    assert list(waits["ready"]) == ["bridge"]


def test_every_service_of_ours_runs_a_verb_that_exists(stack):
    verbs = [each["command"] for each in stack.values() if each["image"] == OURS]
    assert all(len(verb) == 1 and verb[0] in compose.VERBS for verb in verbs)
    assert "describe" in compose.VERBS


def test_our_containers_give_up_what_root_may(stack):
    for name, service in stack.items():
        if service["image"] == OURS:
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name


def test_ports_are_those_of_make_up_on_the_loopback_address_only(stack):
    published = {name: each["ports"] for name, each in stack.items() if "ports" in each}
    defaults, inside = Ports(), description.PORTS
    expected = {
        service: [f"{LOOPBACK}:${{{variable(part)}:-{getattr(defaults, part)}}}:{getattr(inside, part)}"]
        for service, part in PARTS.items()
    }
    # Kafka has a listener of its own for this machine: it tells its clients where to go.
    expected["kafka"] = [f"{LOOPBACK}:${{PORT_KAFKA:-{defaults.kafka}}}:{defaults.kafka}"]
    assert published == expected


def test_the_deploy_is_told_of_every_choice():
    passed = set(FILE["x-choices"])
    ports = {variable(part) for part in PARTS.values()}
    providers = {f"{each.name.upper()}_API_URL" for each in fields(ProviderUrls)}
    sign_in = {f"APPWRITE_{each.name.upper()}" for each in fields(SignIn)}
    assert passed == {"AWS_EMULATOR", *ports, *providers, *sign_in}
    for name in ("deploy", "bridge", "ready"):
        assert FILE["services"][name]["environment"] == FILE["x-choices"]


def test_services_have_the_names_that_the_description_gives_them():
    hosts = asdict(description.HOSTS)
    assert {part: service for service, part in PARTS.items() if part != "kafka"} | {"dashboard": LOOPBACK} == hosts
    assert description.KAFKA_HOST in FILE["services"]


def test_health_checks_ask_at_the_ports_of_the_description(stack):
    for service, part in PARTS.items():
        assert str(getattr(description.PORTS, part)) in " ".join(map(str, stack[service]["healthcheck"]["test"]))


def test_kafka_is_set_up_as_on_one_machine():
    """But for where it listens and keeps its files, which is a container's own affair."""
    own = {"node.id", "log.dirs", "listeners", "advertised.listeners", "controller.quorum.voters", "log.cleaner.enable"}
    settings = kafka_broker._settings(Path("/"), 1, 2)
    environment = FILE["services"]["kafka"]["environment"]
    for name, value in settings.items():
        if name not in own:
            assert environment[f"KAFKA_{name.replace('.', '_').upper()}"] == value, name


def test_kafka_tells_containers_and_this_machine_where_it_is():
    environment = FILE["services"]["kafka"]["environment"]
    inside = f"PLAINTEXT://{description.KAFKA_HOST}:{description.PORTS.kafka}"
    outside = f"HOST://{LOOPBACK}:${{PORT_KAFKA:-{Ports().kafka}}}"
    assert environment["KAFKA_ADVERTISED_LISTENERS"] == f"{inside},{outside}"
    assert environment["KAFKA_LISTENERS"] == f"PLAINTEXT://:9092,HOST://:{Ports().kafka},CONTROLLER://:9093"


def test_postgres_is_made_as_on_one_machine():
    service = FILE["services"]["postgres"]
    assert service["environment"]["POSTGRES_INITDB_ARGS"].split() == [*postgres.ENCODING]
    assert f"max_connections={postgres._settings(1)['max_connections']}" in service["command"]


def test_the_password_of_postgres_is_where_its_image_looks():
    service = FILE["services"]["postgres"]
    folder, name = service["environment"]["POSTGRES_PASSWORD_FILE"].rsplit("/", 1)
    assert f"state:{folder}:ro" in service["volumes"]
    assert name == description.SUPERUSER_PASSWORD.name


def test_state_is_in_named_volumes(stack):
    for name, service in stack.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in FILE["volumes"] or source == "/var/run/docker.sock", (name, volume)
    state = f"state:{Path('/nofy') / description.DIRECTORY.relative_to(ROOT)}"
    assert state in FILE["services"]["deploy"]["volumes"]
    assert f"inbox:{compose.INBOX}" in FILE["services"]["simulators"]["volumes"]


def test_only_localstack_gets_dockers_socket():
    with_socket = {
        (emulator, name)
        for emulator in EMULATORS
        for name, each in services(emulator).items()
        if "docker.sock" in str(each.get("volumes"))
    }
    assert with_socket == {("-localstack", "aws")}


def test_localstack_runs_functions_in_our_network_with_our_packages():
    environment = services("-localstack")["aws"]["environment"]
    assert environment["LAMBDA_DOCKER_NETWORK"] == FILE["networks"]["default"]["name"]
    assert environment["LAMBDA_DOCKER_FLAGS"] == f"-v {FILE['volumes']['packages']['name']}:/opt/python"
    assert f"packages:{deployment.LAMBDA_PACKAGES}" in FILE["services"]["deploy"]["volumes"]


def test_there_is_no_secret_in_the_files():
    for path in (ROOT / "docker-compose.localstack.yml", *(ROOT / "local/compose").glob("*.yml")):
        for name, value in re.findall(r"(\w*(?:PASSWORD|TOKEN|SECRET|KEY)\w*): (.*)", path.read_text()):
            assert value.startswith(("${", "/")), (path.name, name)


def test_the_cdk_app_is_told_names_that_functions_can_resolve(passwords):
    stack = passwords.inside({})
    context = parse(LocalContext, json.loads(json.dumps(stack.context)), "localContext")
    assert re.fullmatch(r"postgresql://nofy_api:[^@]+@postgres:5432/nofy", context.postgres.api_dsn)
    assert context.redis_url == "redis://valkey:6379/0"
    assert context.kafka_bootstrap == "kafka:9092"
    assert context.kafka_reports_lag == "true"
    assert context.slack_api_url == "http://simulators:8025/slack/api"


def test_this_machine_is_told_the_published_ports(passwords):
    stack = passwords.outside({"PORT_AWS": "4566", "PORT_INBOX": ""})
    assert stack.aws_endpoint_url == "http://127.0.0.1:4566"
    assert stack.inbox_url == "http://127.0.0.1:18025"
    assert stack.kafka_bootstrap == "127.0.0.1:19092"


def test_passwords_are_made_once_and_for_their_owner_alone(passwords):
    first = passwords.inside({}).passwords
    passwords.make_passwords()
    assert passwords.inside({}).passwords == first
    assert passwords.SUPERUSER_PASSWORD.read_text() == first.admin
    for path in (passwords.PASSWORDS, passwords.SUPERUSER_PASSWORD):
        assert path.stat().st_mode & 0o077 == 0


def test_packages_for_localstack_are_the_layers_content(tmp_path, monkeypatch):
    for name in ("DEPS_LAYER", "NOFY_PACKAGE"):
        source = tmp_path / name.lower() / f"of_{name.lower()}"
        source.mkdir(parents=True)
        monkeypatch.setattr(deployment.artefacts, name, source.parent)
    target = tmp_path / "volume"
    (target / "left_over").mkdir(parents=True)
    deployment.lay_out_packages(target)
    assert {each.name for each in target.iterdir()} == {"of_deps_layer", "of_nofy_package"}


def test_a_verb_that_is_none_is_told_the_verbs(capsys):
    assert compose.main(["nonsense"]) == 2
    assert "deploy" in capsys.readouterr().err


def test_the_image_is_made_of_what_the_repository_has_and_of_nothing_private():
    dockerfile = (ROOT / "local/compose/Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        for source in line.split()[:-1]:
            assert source == "." or list(ROOT.glob(source)), source
    ignored = (ROOT / "local/compose/Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    assert {each for each in ignored if each.startswith("!")} == {
        f"!{each}"
        for each in "app.py cdk.json package.json package-lock.json dashboard functions infra layers local".split()
    }


def test_the_image_installs_the_pins_of_everybody():
    """Compiled under the same constraints: no version of its own."""
    pin = re.compile(r"^([\w-]+==[^ ;]+)", re.MULTILINE)
    everybody = set(pin.findall((ROOT / "requirements-dev.txt").read_text()))
    ours = set(pin.findall((ROOT / "local/compose/requirements.txt").read_text()))
    assert ours <= everybody
