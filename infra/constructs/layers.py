"""The layers of the cloud: dependencies, the package itself, and the certificates of the database."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from infra.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

REQUIREMENTS = ROOT / "layers" / "deps" / "requirements.txt"
PYTHON = "3.14"

# e_machine in an ELF header, and its value for 64-bit ARM: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
ELF_MACHINE = slice(18, 20)
AARCH64 = 183
# Ours, well under Lambda's 250 MB for everything: what is unzipped is read at each cold start.
MAX_LAYER_BYTES = 50 * 1024 * 1024

# Wheels for Lambda's arm64 (Amazon Linux 2023: glibc 2.34), whatever machine this runs on: no Docker needed.
PIP = (
    "install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: --no-compile "
    "--platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64 "
    f"--implementation cp --python-version {PYTHON}"
).split()


class CloudLayers:
    """Rarely changing first: a new release of the package uploads the package only."""

    def layers(self, scope: Construct) -> Sequence[lambda_.ILayerVersion]:
        return [
            _layer(scope, "Dependencies", _dependencies()),
            _layer(
                scope,
                "Package",
                lambda_.Code.from_asset(
                    str(ROOT / "layers" / "nofy"),
                    exclude=["__pycache__", "*.pyc", "*.egg-info"],
                    ignore_mode=cdk.IgnoreMode.GIT,
                ),
            ),
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


def _dependencies() -> lambda_.Code:
    """Its hash is of what it is made from, so an unchanged layer is neither built nor uploaded again."""
    made_from = " ".join(PIP).encode() + REQUIREMENTS.read_bytes()
    return lambda_.Code.from_asset(
        str(REQUIREMENTS.parent),
        asset_hash_type=cdk.AssetHashType.CUSTOM,
        asset_hash=hashlib.sha256(made_from).hexdigest(),
        bundling=cdk.BundlingOptions(image=lambda_.Runtime.PYTHON_3_14.bundling_image, local=_PipBundling()),
    )


@jsii.implements(cdk.ILocalBundling)
class _PipBundling:
    """Built on this machine by its own pip; the image named beside it is never pulled."""

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        target = ["--target", f"{output_dir}/python", "--requirement", str(REQUIREMENTS)]
        subprocess.run([sys.executable, "-m", "pip", *PIP, *target], check=True)  # noqa: S603
        check_layer(Path(output_dir))
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
