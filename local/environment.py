"""The environment child processes run in: nothing of the user's AWS set-up reaches them.

A stack must never touch a real account. Credentials are the emulator's well-known dummies, profiles and
configuration files are blanked, the instance metadata service is switched off, home is a folder of ours, and
the endpoint of every AWS service is the emulator on the loopback address.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from local import artefacts

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

REGION = "us-east-1"
ACCOUNT = "000000000000"

# Everything else of the user's environment stays out: a child that needs more is given it by name.
PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "TZ", "TERM", "JAVA_HOME"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"),
)

BLANKED = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def clean_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """For a server that has nothing to do with AWS."""
    source = os.environ if environ is None else environ
    kept = {name: source[name] for name in PASSED_ON if name in source}
    return {"LANG": "C.UTF-8", **kept, **BLANKED, "HOME": str(artefacts.HOME)}


def aws_environment(endpoint_url: str) -> dict[str, str]:
    """For a program that calls AWS: every service, S3 included, is at the emulator."""
    return {**clean_environment(), "AWS_ENDPOINT_URL": endpoint_url, "AWS_ENDPOINT_URL_S3": endpoint_url}


def isolate(environ: MutableMapping[str, str], endpoint_url: str) -> None:
    """Do to this very process what children get: boto3 clients made afterwards know the emulator only."""
    for name in [name for name in environ if name.startswith("AWS_")]:
        del environ[name]
    environ.update(BLANKED)
    environ["AWS_ENDPOINT_URL"] = endpoint_url
