"""A layer that would not work in Lambda is refused when it is built; it carries bytecode where that can be made."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template

from infra.constructs import bytecode
from infra.constructs.layers import MAX_LAYER_BYTES, PIP, REQUIREMENTS, CloudLayers, UnfitLayerError, check_layer
from tests.infra.conftest import QUICK

ARM, INTEL = 183, 62


def test_modules_for_arm_are_taken(tmp_path):
    _native(tmp_path / "python" / "fast.cpython-314-aarch64-linux-gnu.so", ARM)

    check_layer(tmp_path)


def test_a_module_for_another_machine_is_named(tmp_path):
    _native(tmp_path / "python" / "fast.libs" / "libpq.so.5.17", INTEL)

    with pytest.raises(UnfitLayerError, match=r"python/fast\.libs/libpq\.so\.5\.17 is for machine 62"):
        check_layer(tmp_path)


def test_a_layer_that_is_too_large_is_refused(tmp_path):
    with (tmp_path / "much").open("wb") as much:
        much.truncate(MAX_LAYER_BYTES + 1)

    with pytest.raises(UnfitLayerError, match="bytes unzipped"):
        check_layer(tmp_path)


@pytest.mark.parametrize("name", ["boto3", "botocore"])
def test_what_the_runtime_brings_is_not_brought_again(tmp_path, name):
    (tmp_path / "python" / name).mkdir(parents=True)

    with pytest.raises(UnfitLayerError, match=name):
        check_layer(tmp_path)


def test_the_requirements_are_pinned_and_hold_no_boto():
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    names = {line.partition("==")[0] for line in lines if "==" in line}

    assert names
    assert not {"boto3", "botocore"} & names
    assert "--require-hashes" in PIP


def test_bytecode_lies_beside_its_module_is_never_checked_against_it_and_names_it_as_lambda_does(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "elsewhere"))
    module = tmp_path / "layer" / "python" / "wisdom.py"
    module.parent.mkdir(parents=True)
    module.write_text("def answer():\n    return 42\n", encoding="utf-8")

    bytecode.compile_all(Path(sys.executable), tmp_path / "layer")

    (compiled,) = module.parent.rglob("*.pyc")
    assert compiled == module.parent / "__pycache__" / f"wisdom.{sys.implementation.cache_tag}.pyc"
    magic, flags = compiled.read_bytes()[:4], int.from_bytes(compiled.read_bytes()[4:8], "little")
    # PEP 552: bit 0 says that a hash stands there, bit 1 that the source is to be checked against it.
    assert (magic, flags) == (importlib.util.MAGIC_NUMBER, 0b01)
    assert b"/opt/python/wisdom.py" in compiled.read_bytes()


def test_a_module_that_cannot_be_compiled_fails_the_build(tmp_path):
    (tmp_path / "broken.py").write_text("def (:", encoding="utf-8")

    with pytest.raises(subprocess.CalledProcessError):
        bytecode.compile_all(Path(sys.executable), tmp_path)


@pytest.mark.parametrize(
    ("says", "fits"),
    [
        ("echo 3.14 final", True),
        ("echo 3.14 candidate", False),
        ("echo 3.13 final", False),
        ("echo 'python3.14: command not found' >&2; exit 127", False),
    ],
)
def test_an_interpreter_of_the_runtimes_version_is_asked_whether_it_is_one(tmp_path, monkeypatch, says, fits):
    named = tmp_path / "python3.14"
    named.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    named.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))  # beside which uv would be

    assert bytecode.interpreter.__wrapped__() == (named if fits else None)


@pytest.fixture
def synthesised(monkeypatch):
    """The layers' stack where there is an interpreter, and where there is none. Nothing is bundled."""

    def synthesise(python: Path | None) -> cdk.Stack:
        monkeypatch.setattr(bytecode, "interpreter", lambda: python)
        stack = cdk.Stack(cdk.App(context=QUICK, builtin_cloud_formation_validation=False), "layers")
        CloudLayers().layers(stack)
        return stack

    return synthesise


def test_layers_with_bytecode_are_others_than_those_without_and_certificates_have_none(synthesised):
    plain, compiled = (_contents(synthesised(each)) for each in (None, Path(sys.executable)))

    assert plain.keys() == compiled.keys()
    assert {name for name in plain if plain[name] != compiled[name]} == {"Dependencies", "Package"}


@pytest.mark.parametrize(
    ("python", "told"),
    [(None, "The layers carry no bytecode: .*"), (Path(sys.executable), "The layers carry bytecode.*")],
)
def test_a_deploy_says_in_one_line_whether_the_layers_carry_bytecode(synthesised, python, told):
    found = Annotations.from_stack(synthesised(python)).find_info("*", Match.string_like_regexp(told))

    assert len(found) == 1


def _contents(stack: cdk.Stack) -> dict[str, str]:
    """Each layer's asset, by the beginning of its logical id."""
    layers = Template.from_stack(stack).find_resources("AWS::Lambda::LayerVersion")
    return {name.rstrip("0123456789ABCDEF"): each["Properties"]["Content"]["S3Key"] for name, each in layers.items()}


def _native(path, machine):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little"))
