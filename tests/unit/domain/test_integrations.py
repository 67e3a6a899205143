"""Settings with which no message could be sent are refused when they are given."""

from __future__ import annotations

from typing import Any

import pytest

from nofy.domain.integrations import settings_problem
from nofy.domain.routing import Provider


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        (Provider.SLACK, {"kind": "bot"}),
        (Provider.SLACK, {"kind": "webhook"}),
        (Provider.SLACK, {"kind": "bot", "limits": {"integration": {"per_second": 20, "burst": 100}}}),
        (Provider.SLACK, {"kind": "bot", "limits": {"destination": None}}),
        (Provider.BREVO, {"sender": {"email": "no-reply@example.com", "name": "Example"}}),
        (Provider.WHATSAPP, {"phone_number_id": "100000000000001"}),
    ],
)
def test_sound_settings_have_no_problem(provider: Provider, settings: dict[str, Any]):
    assert settings_problem(provider, settings) is None


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        *((provider, settings) for provider in Provider for settings in ({}, [], None, "text", {"kind": 1})),
        (Provider.SLACK, {"kind": "user"}),
        (Provider.SLACK, {"kind": "bot", "limits": {"integration": {"per_second": 0, "burst": 100}}}),
        (Provider.BREVO, {"sender": {"name": "Example"}}),
        (Provider.BREVO, {"sender": {"email": "nobody"}}),
        (Provider.WHATSAPP, {"phone_number_id": "+15550100"}),
        (Provider.WHATSAPP, {"phone_number_id": 100}),
    ],
)
def test_a_problem_says_what_is_needed(provider: Provider, settings: Any):
    problem = settings_problem(provider, settings)
    assert problem
    assert "needs" in problem or "object" in problem
