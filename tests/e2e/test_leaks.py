"""Nothing leaks: secrets and people's data that can be recognised go through the whole stack, and are searched for.

Everywhere: every table of PostgreSQL, every key of Redis, every record on every topic, every line that a server or a
function logged, every answer of the API. Where something may stand is listed (``EXPECTED``), and that it does stand
there is asserted too: a search that finds nothing anywhere has not looked.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from redis import Redis

from local.client import Client, RefusedError
from local.people import ADA, GRACE, jwt
from local.simulators import credentials
from tests.e2e.conftest import local, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Stack

POSTGRES, REDIS, KAFKA, LOGS, ANSWERS = "PostgreSQL", "Redis", "Kafka", "logs", "answers"
MEDIA = (POSTGRES, REDIS, KAFKA, LOGS, ANSWERS)

# Where a thing may stand, and does. What is not here may stand nowhere.
EXPECTED: dict[str, set[str]] = {
    # (an invitation's mail goes out like any other; it is good for the one who can prove to have its address)
    "the token of an invitation by mail": {POSTGRES, ANSWERS},
    "the token of an invitation by link": {ANSWERS},
    "an API token": {ANSWERS},
    "a console token": {ANSWERS},
    "the text of a message": {POSTGRES, ANSWERS},
    "the subject of a message": {POSTGRES, ANSWERS},
    "the text of a message that could not be sent": {POSTGRES, ANSWERS},
    "the address of a recipient": {POSTGRES, ANSWERS},
    # (the answer that accepted it was given before)
    "the address of somebody who was erased": {ANSWERS},
    "the text to somebody who was erased": {ANSWERS},
}


@dataclass(frozen=True)
class Listening(Client):
    """A client that keeps what it is answered; what it is refused as well."""

    heard: list[str]

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        try:
            answer = super()._ask(method, path, body, headers)
        except RefusedError as refused:
            self.heard.append(json.dumps(refused.problem, ensure_ascii=False))
            raise
        self.heard.append(json.dumps(answer, ensure_ascii=False))
        return answer


class Story:
    """What happened, the secrets in it by what they are, and what the API answered."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.heard: list[str] = []
        self.planted: dict[str, str] = {}

    def plant(self, what: str, text: str = "") -> str:
        """A word that nobody else says, after ``text``."""
        self.planted[what] = word = f"{text}canary{secrets.token_hex(12)}"
        return word

    def client(self, token: str) -> Listening:
        return Listening(self.stack.made["api_url"], token, self.heard)

    def refused(self, client: Client, method: str, path: str, body: Any = None, **headers: str) -> int:
        with pytest.raises(RefusedError) as refusal:
            client.call(method, path, body, **headers)
        return refusal.value.status


def signed_in(story: Story, person: tuple[str, str], whose: str) -> Listening:
    proof = jwt(story.stack.made["appwrite_url"], *person)
    story.planted[f"the AppWrite JWT of {whose}"] = proof
    token = story.client("").post("/v1/session", {"jwt": proof})["token"]
    story.planted["a console token"] = token
    return story.client(token)


def integrations(story: Story, ada: Client, project: str) -> None:
    slack, mail = {"kind": "bot"}, {"sender": {"email": "no-reply@acme.example"}}
    phone = {"phone_number_id": credentials.WHATSAPP_PHONE_NUMBER_ID}
    for channel, settings, known in (
        ("slack", slack, credentials.SLACK_BOT_TOKEN),
        ("email", mail, credentials.BREVO_API_KEY),
        ("whatsapp", phone, credentials.WHATSAPP_TOKEN),
    ):
        body = {"channel": channel, "name": channel, "settings": settings}
        good = story.plant(f"a {channel} credential", f"{known}-")
        made = ada.post(f"{project}/integrations", body | {"credential": good})
        renewed = story.plant(f"another {channel} credential", f"{known}-")
        ada.call("PATCH", f"{project}/integrations/{made['id']}", {"credential": renewed})
    for name, wrong in (("refused", "xoxb-nobody-"), ("ill-formed", "sk_live_")):
        body = {
            "channel": "slack",
            "name": "x",
            "settings": slack,
            "credential": story.plant(f"a {name} credential", wrong),
        }
        assert story.refused(ada, "POST", f"{project}/integrations", body) == 422


def invitations(story: Story, ada: Client, project: str) -> None:
    grace = signed_in(story, GRACE, "Grace")
    mailed = ada.post(f"{project}/invitations", {"role": "developer", "email": GRACE[0]})
    assert mailed["sent_by_email"]
    by_mail = story.planted["the token of an invitation by mail"] = mailed["link"].partition("#")[2]
    story.planted["the token of an invitation by link"] = ada.post(f"{project}/invitations", {"role": "viewer"})[
        "link"
    ].partition("#")[2]
    wait_for(lambda: story.stack.calls(GRACE[0]))
    assert story.refused(ada, "POST", "/v1/invitations/accept", {"token": by_mail}) == 403
    grace.post("/v1/invitations/accept", {"token": by_mail})
    assert story.refused(grace, "POST", "/v1/invitations/accept", {"token": by_mail}) == 404


def messages(story: Story, server: Client, ada: Client, project_id: str) -> None:
    text, subject = story.plant("the text of a message"), story.plant("the subject of a message")
    to = story.plant("the address of a recipient") + "@example.com"
    content = {"subject": subject, "text": text}
    every = {"email": to, "slack_channel": "C0LEAKS", "phone": "+15550100777"}
    sent = [server.post("/v1/notifications", {"to": every, "channels": [*_CHANNELS], "content": content})]
    unlucky = content | {"text": story.plant("the text of a message that could not be sent")}
    for word in ("503x1", "hangup", "reset", "reject", "content", "throttle1"):
        address = to.replace("@", f"+{word}@")
        sent.append(
            server.post("/v1/notifications", {"to": {"email": address}, "channels": ["email"], "content": unlucky})
        )
    for each in sent:
        wait_for(lambda each=each: server.get(each["links"]["self"])["status"] not in _LIVE)
    letters = wait_for(lambda: server.get("/v1/dead-letters")["dead_letters"])
    ada.post(f"/v1/dead-letters/{letters[0]['id']}/redrive", {}, nofy_project=project_id)
    ada.post(f"/v1/dead-letters/{letters[1]['id']}/discard", {"reason": "enough"}, nofy_project=project_id)


def mistakes(story: Story, server: Client) -> None:
    """What is refused is not repeated, neither to the caller nor in a log."""
    wrong = story.plant("the text of a request that was refused")
    body = {"to": {"email": f"{wrong} @x"}, "channels": ["email", "fax"], "content": {"text": wrong}, "send_at": wrong}
    assert story.refused(server, "POST", "/v1/notifications", body) == 422
    assert story.refused(server, "POST", "/v1/notifications", wrong) == 422
    guess = story.plant("a token that nobody holds", "nofy_live_")
    assert story.refused(story.client(guess), "GET", "/v1/notifications") == 401
    forged = story.plant("a console token that nobody signed", "eyJhbGciOiJub25lIn0.")
    assert story.refused(story.client(f"{forged}.x"), "GET", "/v1/me") == 401
    for jwt_shown, status in (("a JWT that is none", 422), ("a JWT of nobody", 401)):
        shown = story.plant(jwt_shown, "" if status == 422 else "eyJhbGciOiJIUzI1NiJ9.eyJ9.")
        assert story.refused(story.client(""), "POST", "/v1/session", {"jwt": shown}) == status
    # What PostgreSQL itself refuses, it says in its log: a time-out is the likeliest.
    secret = story.plant("the text in a statement that failed")
    from nofy.adapters.postgres.database import RefusedByDatabaseError

    with pytest.raises(RefusedByDatabaseError):
        story.stack.database.run("SELECT %(text)s::text, 1 / 0", {"text": secret})


def erasure(story: Story, server: Client, ada: Client, project_id: str) -> None:
    gone = story.plant("the address of somebody who was erased") + "@example.com"
    text = story.plant("the text to somebody who was erased")
    body = {"to": {"email": gone}, "channels": ["email"], "content": {"subject": "s", "text": text}}
    sent = server.post("/v1/notifications", body, idempotency_key=secrets.token_hex(4))
    wait_for(lambda: server.get(sent["links"]["self"])["status"] == "sent")
    erased = ada.call("DELETE", f"/v1/recipients?address={quote(gone)}", nofy_project=project_id)
    assert erased["erased"]["notifications"] == 1


_CHANNELS = ("email", "slack", "whatsapp")
_LIVE = {"scheduled", "queued", "sending", "retrying", "held"}


@pytest.fixture(scope="module")
def story(stack: Stack) -> Story:
    """Everything a project does in its life, good and bad."""
    told = Story(stack)
    ada = signed_in(told, ADA, "Ada")
    made = ada.post("/v1/projects", {"name": "Leaks"})
    project = made["links"]["self"]
    integrations(told, ada, project)
    invitations(told, ada, project)
    token = ada.post(f"{project}/tokens", {"name": "x", "mode": "live", "scopes": ["send", "read"]})["token"]
    told.planted["an API token"] = token
    server = told.client(token)
    messages(told, server, ada, made["id"])
    mistakes(told, server)
    erasure(told, server, ada, made["id"])
    for path in ("/v1/me", f"{project}/integrations", f"{project}/tokens", f"{project}/audit-log"):
        ada.get(path)
    server.get("/v1/notifications")
    local(stack.environment, "logs")
    return told


# The search


def forms(word: str) -> Iterator[str]:
    """A word as it may stand: plain, in hexadecimal, in an address, and in base64 wherever in a text it begins."""
    yield word
    yield word.encode().hex()
    yield quote(word, safe="")
    for offset in range(3):
        # Without the ends, which what stands around the word has a part in.
        encoded = base64.b64encode(b"\0" * offset + word.encode()).decode()
        yield encoded[4 if offset else 0 : len(encoded) // 4 * 4 - 4]


def stands(word: str, text: str) -> bool:
    return any(each in text for each in forms(word))


def dump_of_postgres(stack: Stack) -> str:
    """Every row of every table that is ours, with bytes as text too, where they are any."""
    tables = stack.database.run(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    rows = [row for (table,) in tables for (row,) in stack.database.run(f"SELECT t::text FROM {table} t")]
    return "\n".join(rows)


def dump_of_redis(stack: Stack) -> str:
    with Redis.from_url(stack.made["redis_url"]) as redis:
        return repr([(key, _value(redis, key)) for key in redis.scan_iter(count=1000)])


def _value(redis: Redis, key: bytes) -> Any:
    read = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"list": lambda each: redis.lrange(each, 0, -1),
        b"zset": lambda each: redis.zrange(each, 0, -1, withscores=True),
        b"none": lambda each: None,
    }
    return read[redis.type(key)](key)


def dump_of_kafka(stack: Stack) -> str:
    consumer = KafkaConsumer(bootstrap_servers=stack.made["kafka_bootstrap"], enable_auto_commit=False)
    try:
        parts = [
            TopicPartition(topic, each)
            for topic in consumer.topics()
            for each in consumer.partitions_for_topic(topic) or ()
            if not topic.startswith("__")
        ]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends, found = consumer.end_offsets(parts), []
        while any(consumer.position(each) < ends[each] for each in parts):
            for records in consumer.poll(timeout_ms=200).values():
                found += [repr((each.key, each.value, each.headers)) for each in records]
        return "\n".join(found)
    finally:
        consumer.close()


def dump_of_logs(stack: Stack) -> str:
    """What every server and function wrote; the simulators' own is the providers', who are told everything."""
    logs = [each for each in (stack.directory / "logs").rglob("*.log") if each.stem != "simulators"]
    assert {"postgres", "producer", "console", "session", "vault", "sender-brevo"} <= {each.stem for each in logs}
    return "\n".join(each.read_text(errors="replace") for each in logs)


@pytest.fixture(scope="module")
def found(stack: Stack, story: Story) -> dict[str, str]:
    return {
        POSTGRES: dump_of_postgres(stack),
        REDIS: dump_of_redis(stack),
        KAFKA: dump_of_kafka(stack),
        LOGS: dump_of_logs(stack),
        ANSWERS: "\n".join(story.heard),
    }


def test_every_secret_stands_where_it_may_and_nowhere_else(story: Story, found: dict[str, str]):
    assert len(story.planted) > 20
    where = {what: {each for each in MEDIA if stands(word, found[each])} for what, word in story.planted.items()}
    assert where == {what: EXPECTED.get(what, set()) for what in story.planted}


def test_a_secret_that_is_shown_once_is_in_one_answer(story: Story):
    for what in ("an API token", "the token of an invitation by link"):
        assert sum(story.planted[what] in each for each in story.heard) == 1, what


def test_what_is_not_to_be_told_twice_is_stored_as_its_digest(stack: Stack, story: Story):
    from nofy.domain.tokens import digest

    held = "SELECT count(*) FROM api_keys WHERE token_hash = %(hash)s"
    assert stack.database.run(held, {"hash": digest(story.planted["an API token"])}) == [(1,)]


# That the search finds what is there


@pytest.mark.parametrize("written", ["before {} after", "{}", "xx{}y"])
@pytest.mark.parametrize(
    "encoding", [str, lambda text: text.encode().hex(), lambda text: base64.b64encode(text.encode()).decode(), quote]
)
def test_a_word_is_found_however_it_is_written(written: Any, encoding: Any):
    word = f"canary{secrets.token_hex(12)}"
    assert stands(word, encoding(written.format(word)))
    assert not stands(word, encoding(written.format(f"canary{secrets.token_hex(12)}")))


def test_what_stands_in_postgresql_is_found(stack: Stack):
    word = f"canary{secrets.token_hex(12)}"
    stack.database.run(
        "CREATE TABLE planted (here bytea, there text[]); INSERT INTO planted VALUES (%(b)s, NULL)",
        {"b": word.encode()},
    )
    try:
        assert stands(word, dump_of_postgres(stack))
    finally:
        stack.database.run("DROP TABLE planted")


def test_what_stands_in_redis_is_found(stack: Stack):
    with Redis.from_url(stack.made["redis_url"]) as redis:
        for plant in (
            redis.set,
            lambda key, word: redis.zadd(key, {word: 1}),
            lambda key, word: redis.hset(key, "x", word),
            redis.sadd,
            redis.rpush,
            lambda key, word: redis.set(f"{key}{word}", 1),
        ):
            key, word = f"planted-{secrets.token_hex(4)}", f"canary{secrets.token_hex(12)}"
            plant(key, word)
            try:
                assert stands(word, dump_of_redis(stack))
            finally:
                redis.delete(key, f"{key}{word}")


def test_what_stands_in_kafka_is_found(stack: Stack):
    word = f"canary{secrets.token_hex(12)}"
    servers = stack.made["kafka_bootstrap"]
    admin, producer = KafkaAdminClient(bootstrap_servers=servers), KafkaProducer(bootstrap_servers=servers)
    admin.create_topics([NewTopic("planted", num_partitions=1, replication_factor=1)])
    try:
        producer.send("planted", key=b"k", value=word.encode()).get(timeout=30)
        assert stands(word, dump_of_kafka(stack))
    finally:
        producer.close()
        admin.delete_topics(["planted"])
        admin.close()


def test_what_stands_in_a_log_is_found(stack: Stack, story: Story):
    word = f"canary{secrets.token_hex(12)}"
    stack.database.run(f"DO $$ BEGIN RAISE LOG '{word}'; END $$")
    wait_for(lambda: stands(word, dump_of_logs(stack)))
