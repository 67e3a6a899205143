"""The Cloud API's messages call, as reference section 3 has it."""

import pytest

PNG = {"type": "image", "image": {"link": "https://example.com/a.png"}}


def error(answer):
    return answer.status, answer.body["error"]["code"]


def test_a_message_is_accepted_with_the_envelope_of_meta(sim):
    answer = sim.whatsapp("+15550100001")

    assert answer.status == 200
    assert answer.body["messaging_product"] == "whatsapp"
    assert answer.body["contacts"] == [{"input": "+15550100001", "wa_id": "15550100001"}]
    assert answer.body["messages"][0]["id"].startswith("wamid.")


def test_an_error_carries_code_details_and_a_trace_id(sim):
    answer = sim.whatsapp(text={"body": ""})

    assert error(answer) == (400, 131008)
    assert answer.body["error"]["message"].startswith("(#131008) ")
    assert answer.body["error"]["error_data"]["messaging_product"] == "whatsapp"
    assert answer.body["error"]["fbtrace_id"]


@pytest.mark.parametrize(
    ("to", "wa_id"),
    [
        ("+447700900000", "447700900000"),
        ("447700900000", "1447700900000"),  # reaches a stranger: this is why the plus must be sent
        ("+1 (555) 010-0001", "15550100001"),
        ("5550100001", "15550100001"),
    ],
)
def test_without_a_plus_the_business_numbers_country_code_is_put_in_front(sim, to, wa_id):
    answer = sim.whatsapp(to)

    assert answer.body["contacts"] == [{"input": to, "wa_id": wa_id}]
    assert sim.messages()[0]["to"] == wa_id


@pytest.mark.parametrize(("token", "expected"), [(None, (403, 200)), ("EAA-wrong", (401, 190))])
def test_bad_tokens_are_refused_by_code(sim, token, expected):
    assert error(sim.whatsapp(token=token)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"messaging_product": None}, (400, 100)),
        ({"type": None}, (400, 100)),
        ({"type": "carrier_pigeon"}, (400, 131051)),
        ({"type": "image"}, (400, 131008)),
        ({"type": "image", "image": {"caption": "no picture"}}, (400, 131008)),
        ({"type": "document", "document": {"link": "report.pdf"}}, (400, 131009)),
        ({"text": {"body": "x" * 4_097}}, (400, 100)),
        ({"text": "no object"}, (400, 131008)),
        ({"biz_opaque_callback_data": "x" * 513}, (400, 100)),
        ({"type": "interactive", "interactive": {"type": "button"}}, (400, 131008)),
        (
            {
                "type": "interactive",
                "interactive": {"type": "button", "body": {"text": "?"}, "action": {"buttons": [{}] * 4}},
            },
            (400, 131009),
        ),
        (
            {
                "type": "interactive",
                "interactive": {
                    "type": "button",
                    "body": {"text": "?"},
                    "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "x" * 21}}]},
                },
            },
            (400, 131009),
        ),
    ],
)
def test_a_message_that_breaks_a_rule_is_refused_by_code(sim, changes, expected):
    assert error(sim.whatsapp(**changes)) == expected


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("", (400, 100)),
        ("ada@example.com", (400, 131009)),
        ("+12", (400, 131009)),
        ("+15550100000", (400, 131021)),
    ],
)
def test_recipients_that_cannot_be(sim, to, expected):
    assert error(sim.whatsapp(to)) == expected


def test_another_phone_number_id_does_not_exist(sim):
    path = "/whatsapp/v25.0/999/messages"

    assert error(sim.call("POST", path, {}, authorization="Bearer EAA-nofy-local")) == (400, 33)


def test_the_phone_number_call_checks_a_token(sim):
    def check(token):
        return sim.call("GET", "/whatsapp/v25.0/100000000000001", authorization=f"Bearer {token}")

    assert check("EAA-nofy-local").body["id"] == "100000000000001"
    assert error(check("EAA-wrong")) == (401, 190)


def test_a_template_is_filled_and_shown_as_its_reader_sees_it(sim):
    assert sim.template("deploy_finished", "42", "Frankfurt", language="de").status == 200

    message = sim.messages()[0]
    assert message["text"] == "Build 42 läuft jetzt in Frankfurt."
    assert message["content"]["rendered"]["footer"] == "Gesendet von Nofy"


@pytest.mark.parametrize(
    ("name", "language", "params", "expected"),
    [
        ("no_such_template", "en_US", [], (404, 132001)),
        ("deploy_finished", "fr", ["42", "Paris"], (404, 132001)),
        ("deploy_finished", "en_US", ["42"], (400, 132000)),
        ("deploy_finished", "en_US", ["1", "2", "3"], (400, 132000)),
        ("deploy_finished", "en_US", ["42", "two\nlines"], (400, 132018)),
        ("deploy_finished", "en_US", ["42", "five     spaces"], (400, 132018)),
        ("deploy_finished", "en_US", ["42", ""], (400, 131008)),
        ("deploy_finished", "en_US", ["42", "x" * 1_100], (400, 132005)),
        ("report_ready", "en_US", ["Ada", "Q1"], (400, 132000)),  # its header picture is missing
    ],
)
def test_templates_are_known_by_name_and_language_and_count_their_parameters(sim, name, language, params, expected):
    assert error(sim.template(name, *params, language=language)) == expected


def test_a_named_template_wants_the_names_and_the_picture_of_its_header(sim):
    def parameters(*names):
        texts = [{"type": "text", "parameter_name": name, "text": "x"} for name in names]
        return [{"type": "HEADER", "parameters": [PNG]}, {"type": "BODY", "parameters": texts}]

    assert sim.template("report_ready", components=parameters("customer", "report")).status == 200
    assert error(sim.template("report_ready", components=parameters("customer", "other"))) == (400, 100)


def test_a_template_can_be_added_at_run_time(sim):
    added = sim.call("POST", "/_control/templates", {"name": "mine", "language": "en", "body": "Hi {{1}}"})

    assert added.status == 201
    assert sim.template("mine", "Ada", language="en").status == 200
    assert sim.messages()[0]["text"] == "Hi Ada"
    assert sim.call("POST", "/_control/templates", {"name": "bodyless"}).status == 400


def test_the_window_is_open_for_everybody_until_it_is_closed(sim):
    def window(is_open):
        sim.call("POST", "/_control/windows", {"recipient": "+15550100001", "open": is_open})

    assert sim.whatsapp("+15550100001").status == 200
    window(is_open=False)
    assert error(sim.whatsapp("+15550100001")) == (400, 131047)
    assert sim.template("hello_world", components=[{"type": "body"}]).status == 200
    window(is_open=True)
    assert sim.whatsapp("+15550100001").status == 200


def test_a_pair_and_a_number_have_limits_of_their_own_and_say_400_without_retry_after(limited):
    assert [limited.whatsapp("+15550100001").status for _ in range(3)] == [200, 200, 400]
    pair = limited.whatsapp("+15550100001")
    assert error(pair) == (400, 131056)
    assert pair.headers["Retry-After"] is None

    assert limited.whatsapp("+15550100002").status == 200
    assert error(limited.whatsapp("+15550100003")) == (400, 130429)
    limited.clock.ahead += 6.1
    assert limited.whatsapp("+15550100001").status == 200


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"to": 5, "type": [], "messaging_product": "whatsapp"}'])
def test_bodies_it_cannot_read_are_invalid_parameters(sim, raw):
    answer = sim.call(
        "POST",
        "/whatsapp/v25.0/100000000000001/messages",
        raw,
        authorization="Bearer EAA-nofy-local",
    )

    assert answer.status == 400
    assert answer.body["error"]["code"] in {100, 131009}
