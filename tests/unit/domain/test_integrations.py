"""Settings and credentials with which no message could be sent, or worse, are refused when they are given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain.integrations import (
    MAX_CREDENTIAL,
    SLACK_WEBHOOK_ROOTS,
    credential_problem,
    hint_of,
    is_webhook,
    settings_errors,
    settings_problem,
    webhook_roots,
)
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


def wrong(provider: Provider, settings: Any) -> list[tuple[str, str]]:
    return sorted((each.path, each.code) for each in settings_errors(provider, settings))


@pytest.mark.parametrize(
    ("provider", "settings", "errors"),
    [
        *((provider, settings, [("/settings", "invalid")]) for provider in Provider for settings in ([], None, "x", 1)),
        (Provider.SLACK, {}, [("/settings/kind", "required")]),
        (Provider.SLACK, {"kind": ["bot"]}, [("/settings/kind", "invalid")]),
        (
            Provider.SLACK,
            {"kind": "user", "limits": 5, "token": "xoxb-1", "a/b~c": 1},
            [
                ("/settings/a~1b~0c", "unknown"),
                ("/settings/kind", "invalid"),
                ("/settings/limits", "invalid"),
                ("/settings/token", "unknown"),
            ],
        ),
        (Provider.BREVO, {}, [("/settings/sender", "required")]),
        (Provider.BREVO, {"sender": "ada@example.com"}, [("/settings/sender", "invalid")]),
        (
            Provider.BREVO,
            {"sender": {"name": "two\r\nlines", "id": 7}, "limits": {"destination": 1}},
            [
                ("/settings/limits", "invalid"),
                ("/settings/sender/email", "required"),
                ("/settings/sender/id", "unknown"),
                ("/settings/sender/name", "invalid"),
            ],
        ),
        (
            Provider.BREVO,
            {"sender": {"email": "ada@example.com", "name": "x" * 71}},
            [("/settings/sender/name", "invalid")],
        ),
        *(
            (Provider.BREVO, {"sender": {"email": email}}, [("/settings/sender/email", "invalid")])
            for email in (
                "ada@example",
                "ada@example.com\r\nBcc: all",
                "a b@example.com",
                "<ada@example.com>",
                7,
                None,
                "",
            )
        ),
        (Provider.WHATSAPP, {}, [("/settings/phone_number_id", "required")]),
        *(
            (Provider.WHATSAPP, {"phone_number_id": number}, [("/settings/phone_number_id", "invalid")])
            # (the digits of other scripts are digits to str.isdigit, and so are superscripts)
            for number in ("", "1/../2", "1?x=", "\u0661\u0662", "\u00b2", "1\n", 100, None, "1" * 21)
        ),
    ],
)
def test_everything_that_is_wrong_is_told_at_once_and_where(provider: Provider, settings: Any, errors):
    assert wrong(provider, settings) == errors


TEAM = "https://hooks.slack.com/services/T0AB1CD2E/B0AB1CD2E/aBcDeFgHiJkLmNoPqRsT3fXz"
STACK = "http://127.0.0.1:9000/slack/api"


@pytest.mark.parametrize(
    ("provider", "settings", "credential"),
    [
        (Provider.SLACK, {"kind": "bot"}, "xoxb-1-2-abc"),
        (Provider.SLACK, {"kind": "bot"}, "xoxp-1-2-abc"),
        (Provider.SLACK, {"kind": "webhook"}, TEAM),
        (Provider.SLACK, {"kind": "webhook"}, TEAM.replace("slack.com", "slack-gov.com")),
        (Provider.BREVO, {}, "xkeysib-abc"),
        (Provider.WHATSAPP, {}, "EAAabc|x"),
    ],
)
def test_a_credential_that_looks_right_has_no_problem(provider: Provider, settings: dict[str, Any], credential: str):
    assert credential_problem(provider, settings, credential) is None


@pytest.mark.parametrize(
    ("provider", "settings", "credential"),
    [
        (Provider.SLACK, {"kind": "bot"}, "xapp-1-abc"),
        (Provider.SLACK, {"kind": "bot"}, "xoxb-"),
        (Provider.SLACK, {"kind": "bot"}, TEAM),
        (Provider.SLACK, {"kind": "webhook"}, "xoxb-1-2-abc"),
        (Provider.BREVO, {}, "xsmtpsib-abc"),
        *(
            (provider, settings, start + bad)
            for provider, settings, start in (
                (Provider.SLACK, {"kind": "bot"}, "xoxb-"),
                (Provider.SLACK, {"kind": "webhook"}, TEAM),
                (Provider.BREVO, {}, "xkeysib-"),
                (Provider.WHATSAPP, {}, "EAA"),
            )
            for bad in ("a b", "a\r\nx-other: 1", "a\n", "\ta", "a\0", "a\x7f", "é", "\u2028", "x" * MAX_CREDENTIAL)
        ),
        *((provider, {"kind": "bot"}, "") for provider in Provider),
    ],
)
def test_one_that_cannot_be_right_is_refused_without_a_piece_of_it(
    provider: Provider, settings: dict[str, Any], credential: str
):
    problem = credential_problem(provider, settings, credential)
    assert problem
    assert len(credential) <= len("xoxb-") or credential not in problem


@pytest.mark.parametrize(
    "address",
    [
        TEAM.replace("https", "http"),
        TEAM.replace("https", "HTTPS"),
        TEAM.replace("//", "//user@"),
        TEAM.replace("//", "//user:pass@"),
        TEAM.replace("slack.com", "slack.com:443"),
        TEAM.replace("slack.com", "slack.com:22"),
        TEAM.replace("slack.com", "slack.com."),
        TEAM.replace("slack.com", "slack.com.evil.example"),
        TEAM.replace("slack.com", "slack.com@evil.example"),
        TEAM.replace("hooks.slack.com", "evil.example/hooks.slack.com"),
        TEAM.replace("hooks.slack.com", "hooks-slack.com"),
        TEAM.replace("hooks.slack.com", "hooksxslack.com"),
        TEAM.replace("hooks.slack.com", "api.slack.com"),
        TEAM.replace("hooks.slack.com", "evil.hooks.slack.com"),
        TEAM.replace("hooks.slack.com", "169.254.169.254"),
        TEAM.replace("hooks.slack.com", "[::1]"),
        TEAM.replace("hooks.slack.com", "hooks.slack.com\\@evil.example"),
        TEAM.replace("hooks.slack.com", "hooks.slac\u212a.com"),
        TEAM + "?x=1",
        TEAM + "#x",
        TEAM + "/",
        TEAM + "/more",
        TEAM + "\n",
        " " + TEAM,
        TEAM.replace("/B0", "/../B0"),
        TEAM.replace("/B0", "/%2e%2e/B0"),
        TEAM.replace("/B0", "//B0"),
        TEAM.replace("/services", "/workflows"),
        TEAM.replace("/T0", "/C0"),
        TEAM.replace("/T0AB1CD2E", "/T"),
        "file:///etc/passwd",
        "https://hooks.slack.com/services/",
        "https://hooks.slack.com",
        "",
    ],
)
def test_an_address_that_is_not_exactly_a_webhook_of_slack_is_none(address: str):
    assert not is_webhook(address)
    assert not is_webhook(address, webhook_roots(STACK))


def test_what_stands_in_for_slack_has_webhooks_where_whoever_deploys_says_so():
    simulated = "http://127.0.0.1:9000/slack/services/T0LOCAL/B0LOCAL/nofylocal"
    assert is_webhook(simulated, webhook_roots(STACK))
    assert not is_webhook(simulated)
    for elsewhere in ("9001/slack", "9000", "9000/brevo", "9000/slack/api"):
        assert not is_webhook(simulated.replace("9000/slack", elsewhere), webhook_roots(STACK))


@pytest.mark.parametrize("api", ["https://slack.com/api", "https://slack.com/api/", "https://slack-gov.com/api"])
def test_slack_itself_has_its_own_hosts_and_no_others(api: str):
    assert webhook_roots(api) == SLACK_WEBHOOK_ROOTS


@pytest.mark.parametrize(
    ("provider", "credential", "hint"),
    [
        (Provider.SLACK, "xoxb-1234567890-abcdefghijklmnab12", "xoxb-…ab12"),
        (Provider.SLACK, "xoxp-1234567890-abcdefghijklmnab12", "xoxp-…ab12"),
        (Provider.SLACK, TEAM, "https://hooks.slack.com/services/T…/…3fXz"),
        (
            Provider.SLACK,
            "http://127.0.0.1:9000/slack/services/T0LOCAL/B0LOCAL/nofylocal",
            "http://127.0.0.1:9000/services/T…/…al",
        ),
        (Provider.BREVO, "xkeysib-0123456789abcdef9f2a", "xkeysib-…9f2a"),
        (Provider.WHATSAPP, "EAA0123456789abcdef9f2a", "…9f2a"),
        # Of a short one a quarter at the most.
        (Provider.SLACK, "xoxb-12345678", "xoxb-…78"),
        (Provider.SLACK, "xoxb-123", "xoxb-…"),
        (Provider.WHATSAPP, "", "…"),
        # An operator may have sealed anything.
        (Provider.SLACK, "https://user:password@hooks.slack.com/", "https://hooks.slack.com/services/T…/…"),
    ],
)
def test_a_hint_names_a_credential_and_does_not_give_it_away(provider: Provider, credential: str, hint: str):
    assert hint_of(provider, credential) == hint


@given(
    st.sampled_from(Provider),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/:"), max_size=80),
)
def test_no_hint_shows_more_than_four_characters_or_a_quarter(provider: Provider, secret: str):
    for prefix in ("", "xoxb-", "xkeysib-", "https://hooks.slack.com/services/T0AB1CD2E/B0AB1CD2E/"):
        _, _, ending = hint_of(provider, prefix + secret).rpartition("…")
        assert len(ending) <= min(4, len(prefix + secret) // 4)
        assert (prefix + secret).endswith(ending)
