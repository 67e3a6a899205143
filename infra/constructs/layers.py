"""The layers of the cloud: dependencies, the package itself, and the certificates of the database.

The first two carry bytecode where it can be made (:mod:`infra.constructs.bytecode`), and their hashes say whether.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from infra.constructs import bytecode
from infra.constructs.bytecode import PYTHON
from infra.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

REQUIREMENTS = ROOT / "layers" / "deps" / "requirements.txt"
PACKAGE = ROOT / "layers" / "nofy"
NOT_PACKAGE = ["__pycache__", "*.pyc", "*.egg-info"]

# e_machine in an ELF header, and its value for 64-bit ARM: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
ELF_MACHINE = slice(18, 20)
AARCH64 = 183
# Ours, well under Lambda's 250 MB for everything: 48 MB of dependencies for arm64, and 12 MB of their bytecode.
MAX_LAYER_BYTES = 64 * 1024 * 1024

# Wheels for Lambda's arm64 (Amazon Linux 2023: glibc 2.34), whatever machine this runs on: no Docker needed.
PIP = (
    "install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: --no-compile "
    "--platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64 "
    f"--implementation cp --python-version {PYTHON}"
).split()


class CloudLayers:
    """Rarely changing first: a new release of the package uploads the package only."""

    def layers(self, scope: Construct) -> Sequence[lambda_.ILayerVersion]:
        python = bytecode.interpreter()
        cdk.Annotations.of(scope).add_info(bytecode.WITH if python else bytecode.WITHOUT)
        return [
            _layer(scope, "Dependencies", _dependencies(python)),
            _layer(scope, "Package", _package(python)),
            _layer(
                scope,
                "Certificates",
                lambda_.Code.from_asset(
                    str(ROOT / "infra" / "assets"),
                    exclude=["*", "!certificates", "!certificates/**"],
                    ignore_mode=cdk.IgnoreMode.GIT,
                ),
            ),
        ]


def _layer(scope: Construct, construct_id: str, code: lambda_.Code) -> lambda_.LayerVersion:
    return lambda_.LayerVersion(
        scope,
        construct_id,
        code=code,
        compatible_architectures=[lambda_.Architecture.ARM_64],
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_14],
    )


def _dependencies(python: Path | None) -> lambda_.Code:
    """Its hash is of what it is made from, so an unchanged layer is neither built nor uploaded again."""
    made_from = " ".join(PIP).encode() + REQUIREMENTS.read_bytes()
    return _bundled(REQUIREMENTS.parent, hashlib.sha256(made_from), _PipBundling(python), python)


def _package(python: Path | None) -> lambda_.Code:
    """As it lies here, or a copy with its bytecode."""
    if python is None:
        return lambda_.Code.from_asset(str(PACKAGE), exclude=NOT_PACKAGE, ignore_mode=cdk.IgnoreMode.GIT)
    content = cdk.FileSystem.fingerprint(str(PACKAGE), exclude=NOT_PACKAGE, ignore_mode=cdk.IgnoreMode.GIT)
    return _bundled(PACKAGE, hashlib.sha256(content.encode()), _CopyBundling(python), python)


def _bundled(source: Path, made_from: hashlib._Hash, local: cdk.ILocalBundling, python: Path | None) -> lambda_.Code:
    """Built on this machine; the image named beside it is never pulled."""
    if python is not None:
        made_from.update(bytecode.WITH.encode())
    return lambda_.Code.from_asset(
        str(source),
        asset_hash_type=cdk.AssetHashType.CUSTOM,
        asset_hash=made_from.hexdigest(),
        bundling=cdk.BundlingOptions(image=lambda_.Runtime.PYTHON_3_14.bundling_image, local=local),
    )


@jsii.implements(cdk.ILocalBundling)
class _PipBundling:
    """By this machine's own pip."""

    def __init__(self, python: Path | None) -> None:
        self._python = python

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        target = ["--target", f"{output_dir}/python", "--requirement", str(REQUIREMENTS)]
        subprocess.run([sys.executable, "-m", "pip", *PIP, *target], check=True)  # noqa: S603
        if self._python is not None:
            bytecode.compile_all(self._python, Path(output_dir))
        check_layer(Path(output_dir))
        return True


@jsii.implements(cdk.ILocalBundling)
class _CopyBundling:
    """A copy, for nothing is written beside the sources."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        ignored = shutil.ignore_patterns(*NOT_PACKAGE)
        shutil.copytree(PACKAGE, output_dir, ignore=ignored, dirs_exist_ok=True)
        bytecode.compile_all(self._python, Path(output_dir))
        return True


class UnfitLayerError(Exception):
    """What was built would fail in Lambda, or cost more than it may."""


def check_layer(folder: Path) -> None:
    """Nothing before a cold start in the cloud would say that a wheel is for the wrong machine."""
    for module in sorted(folder.rglob("*.so*")):
        machine = int.from_bytes(module.read_bytes()[ELF_MACHINE], "little")
        if machine != AARCH64:
            raise UnfitLayerError(f"{module.relative_to(folder)} is for machine {machine}, not for arm64")
    size = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    if size > MAX_LAYER_BYTES:
        raise UnfitLayerError(f"the layer is {size} bytes unzipped, more than {MAX_LAYER_BYTES}")
    for name in ("boto3", "botocore"):
        if (folder / "python" / name).exists():
            raise UnfitLayerError(f"{name} is in the layer: the runtime brings its own")
