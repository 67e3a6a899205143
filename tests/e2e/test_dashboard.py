"""The dashboard in a real browser on the whole stack; what is done and looked for stands in ``dashboard/e2e``."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from local import artefacts, chromium
from local.simulators import credentials

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

PATIENCE_SECONDS = 600
FILES = sorted(each.name for each in (artefacts.DASHBOARD_SOURCE / "e2e").glob("*.test.ts"))


@pytest.fixture(scope="module")
def browser() -> str:
    path = chromium.found_or_installed(os.environ)
    if path is None:
        told = f"the dashboard's tests in a browser were left out: there is no Chromium ({chromium.HOW_TO_GET_ONE})"
        if os.environ.get("CI_NEEDS_BROWSER"):
            pytest.fail(told)
        pytest.skip(told)
    return path


@pytest.mark.parametrize("file", FILES)
def test_the_dashboard_in_a_browser(stack: Stack, browser: str, file: str):
    environment = {
        **os.environ,
        "CHROMIUM": browser,
        "DASHBOARD_URL": stack.made["dashboard_url"],
        "INBOX_URL": stack.made["inbox_url"],
        "API_TOKEN": stack.made["api_token"],
        "PROJECT_ID": stack.made["project_id"],
        "SLACK_CREDENTIAL": credentials.SLACK_BOT_TOKEN,
        "BREVO_CREDENTIAL": credentials.BREVO_API_KEY,
        "WHATSAPP_CREDENTIAL": credentials.WHATSAPP_TOKEN,
        "WHATSAPP_PHONE_NUMBER_ID": credentials.WHATSAPP_PHONE_NUMBER_ID,
    }
    done = subprocess.run(
        ["node_modules/.bin/vitest", "run", "--config", "vitest.e2e.config.ts", f"e2e/{file}"],
        cwd=artefacts.DASHBOARD_SOURCE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert done.returncode == 0, said[-6000:]
