"""One send, whoever the provider is: read, check, misbehave if told to, admit, store, answer.

The outcomes in the ledger and on the page:

===============  ========  =========================================================================
outcome          accepted  what happened
===============  ========  =========================================================================
``accepted``     yes       stored and answered
``sandbox``      yes       checked and answered, but not delivered (Brevo's ``X-Sib-Sandbox``)
``hangup``       yes       stored, and the caller was not told
``internal``     yes       stored, and the caller was told of an internal error
``refused``      no        the provider's own rules, or the script, say no
``duplicate``    no        Brevo has seen this idempotency key
``throttled``    no        too much at once, by rate or by script
``unavailable``  no        a scripted 5xx
``reset``        no        the connection was reset before anything was stored
``hang``         no        never answered
===============  ========  =========================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from local.simulators.clock import iso
from local.simulators.exchange import HTML_503, Ending, Reply, Request

if TYPE_CHECKING:
    from local.simulators.faults import Step
    from local.simulators.messages import Message
    from local.simulators.world import World

# Faults after which nothing was stored; "internal" and "hangup" come after storing, "slow" changes but time.
_BEFORE_STORING: Final = frozenset(
    {"status", "html503", "throttle", "reset", "hang", "reject", "content", "config", "error"}
)
_ANSWER_KEPT: Final = 4_096  # bytes; a provider's answer is shorter, but for Slack's echo of a long message
_UNTOLD: Final = frozenset({"hangup", "internal"})
_ACCEPTED: Final = frozenset({"accepted", "sandbox", *_UNTOLD})


class Refusal(Exception):  # noqa: N818 - a provider's "no" is an answer, not an error of ours
    """The provider says no. `why` is its own code, `reply` the whole answer."""

    def __init__(self, why: str, reply: Reply, outcome: str = "refused") -> None:
        super().__init__(why)
        self.why = why
        self.reply = reply
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Submission:
    """A call, read as far as it can be read; it may still turn out to be refused.

    `problem` is what made it unreadable. `others` are further messages of the same call (Brevo's versions).
    """

    to: str
    correlation: str = ""
    idempotency_key: str = ""
    subject: str = ""
    text: str = ""
    content: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    problem: Refusal | None = None
    sandbox: bool = False
    others: tuple[Submission, ...] = ()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The provider's "yes": its answer, and an id for each message of the submission."""

    reply: Reply
    ids: tuple[str, ...]


class Dialect(Protocol):
    """What differs from provider to provider."""

    channel: str
    provider: str

    def draft(self, request: Request) -> Submission:
        """Read the call without judging it."""

    def check(self, request: Request, submission: Submission) -> None:
        """Credentials, shape, recipient. Raises :class:`Refusal`."""

    def admit(self, submission: Submission) -> None:
        """Rates and memory: what only this moment decides. Raises :class:`Refusal`."""

    def accept(self, submission: Submission) -> Acceptance:
        """Answer for messages that are being stored."""

    def misbehave(self, step: Step, submission: Submission) -> Refusal:
        """How this provider says a word of the fault language."""


def send(dialect: Dialect, request: Request, world: World) -> Reply:
    """The reply to one send, with everything noted."""
    submission = dialect.draft(request)
    try:
        dialect.check(request, submission)
        return _deliver(dialect, submission, world)
    except Refusal as refusal:
        _note(dialect, submission, world, refusal.outcome, refusal.reply, why=refusal.why)
        return refusal.reply


def _deliver(dialect: Dialect, submission: Submission, world: World) -> Reply:
    step = world.faults.next(dialect.channel, submission.to, submission.correlation)
    if step.word in _BEFORE_STORING:
        raise _scripted(dialect, step, submission)
    reply = _store(dialect, submission, world, step)
    if step.word == "slow":
        world.pause(step.seconds)
    return reply


def _scripted(dialect: Dialect, step: Step, submission: Submission) -> Refusal:
    """The faults that look the same everywhere, then the provider's own."""
    match step.word:
        case "reset":
            return Refusal("connection reset", Reply(ending=Ending.RESET), "reset")
        case "hang":
            return Refusal("no answer", Reply(ending=Ending.SILENCE), "hang")
        case "html503":
            return Refusal("503", HTML_503, "unavailable")
        case "status":
            return Refusal(str(step.status), dialect.misbehave(step, submission).reply, "unavailable")
        case _:
            return dialect.misbehave(step, submission)


def _store(dialect: Dialect, submission: Submission, world: World, step: Step) -> Reply:
    """Admit and store in one step; two calls with one idempotency key cannot both get through."""
    with world.admission:
        dialect.admit(submission)
        acceptance = dialect.accept(submission)
        outcome = "sandbox" if submission.sandbox else step.word if step.word in _UNTOLD else "accepted"
        reply = _after_storing(dialect, step, submission, acceptance.reply)
        _note(dialect, submission, world, outcome, reply, ids=acceptance.ids)
    return reply


def _after_storing(dialect: Dialect, step: Step, submission: Submission, reply: Reply) -> Reply:
    if step.word == "hangup":
        return reply.ending_with(Ending.CLOSE)
    if step.word == "internal":
        return dialect.misbehave(step, submission).reply
    return reply


def _note(
    dialect: Dialect,
    submission: Submission,
    world: World,
    outcome: str,
    reply: Reply,
    *,
    why: str = "",
    ids: tuple[str, ...] = ("",),
) -> None:
    """A line in the ledger, and the messages in the inbox (not those of a sandbox call)."""
    now = iso(world.clock())
    booked = {
        "provider": dialect.provider,
        "channel": dialect.channel,
        "correlation": submission.correlation,
        "idempotency_key": submission.idempotency_key,
        "outcome": outcome,
        "accepted": outcome in _ACCEPTED,
        "status": reply.status if reply.ending is Ending.ANSWER else None,
        "why": why,
    }
    shelved = [] if outcome == "sandbox" else _shelve(world, submission, ids, reply, booked | {"received_at": now})
    first = shelved[0].id if shelved else None
    world.ledger.record(**booked, time=now, recipient=submission.to, message_id=first)


def _shelve(
    world: World, submission: Submission, ids: tuple[str, ...], reply: Reply, booked: dict[str, Any]
) -> list[Message]:
    """One message per id. A caller that was not answered was told nothing."""
    told = reply.ending is Ending.ANSWER
    return [
        world.inbox.add(
            **booked,
            to=part.to,
            subject=part.subject,
            text=part.text,
            content=part.content,
            provider_id=provider_id,
            answer=reply.body[:_ANSWER_KEPT].decode(errors="replace") if told else "",
        )
        for part, provider_id in zip((submission, *submission.others), ids, strict=False)
    ]
