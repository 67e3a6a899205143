"""A layer that would not work in Lambda is refused when it is built."""

import pytest

from infra.constructs.layers import MAX_LAYER_BYTES, PIP, REQUIREMENTS, UnfitLayerError, check_layer

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


def _native(path, machine):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little"))
