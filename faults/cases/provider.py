"""The provider refuses, hangs, hangs up, or takes a message and says nothing."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

from faults.bench import ids_of
from faults.cases.steps import FEW
from nofy.domain.routing import Channel

if TYPE_CHECKING:
    from faults.bench import Bench


def provider_throttles(bench: Bench) -> None:
    """Retry-After (a second) is kept to, and nothing is spent by it."""
    promised = bench.accept(FEW, script="429*2")
    bench.expect_sent(promised)
    at: dict[str, list[float]] = {}
    for call in bench.calls(promised):
        at.setdefault(call.delivery_id, []).append(call.at)
    waits = [later - earlier for each in at.values() for earlier, later in pairwise(each)]
    assert min(waits) >= 0.99, f"asked again after {min(waits):.2f} s"
    spent = bench.machine.query("SELECT max(spent) FROM deliveries WHERE id = ANY(%(i)s)", i=ids_of(promised))[0][0]
    assert spent == 0, f"{spent} attempts spent by throttles"


def provider_answers_5xx(bench: Bench) -> None:
    bench.expect_sent(bench.accept(FEW, script="503*2"))


def provider_hangs(bench: Bench) -> None:
    bench.expect_sent(bench.accept(FEW, script="hang*1"))


def provider_resets_the_connection(bench: Bench) -> None:
    bench.expect_sent(bench.accept(FEW, script="reset*2"))


def provider_takes_it_and_says_nothing(bench: Bench) -> None:
    """Asked again: once too often at Slack and WhatsApp, where nobody can know, and never at Brevo."""
    bench.expect_sent(bench.accept(FEW, script="lost*1"))


def provider_is_slow(bench: Bench) -> None:
    promised = bench.accept(FEW, script="slow*1")
    bench.expect_sent(promised)
    assert bench.asked(promised) == len(promised)


def credential_refused_and_mended(bench: Bench) -> None:
    """The integration is held, what is due waits, and is sent with the next credential."""
    bench.client.set_credential(Channel.EMAIL, "refused")
    promised = bench.accept(FEW, Channel.EMAIL)
    assert bench.wait(lambda: bench.statuses(promised) == {"held": FEW}, bench.patience), bench.statuses(promised)
    asked = bench.asked(promised)
    time.sleep(2)
    assert bench.asked(promised) == asked, "a held integration was called"
    bench.client.set_credential(Channel.EMAIL, "mended")
    bench.expect_sent(promised)


def permanent_refusal(bench: Bench) -> None:
    """One call each, and a dead letter with the provider's reason."""
    promised = bench.accept(FEW, script="refuse*9")
    assert bench.settle(promised), "not ended"
    assert bench.statuses(promised) == {"failed": FEW}
    assert bench.asked(promised) == FEW, "a refusal was tried again"
    assert bench.wait(lambda: len(bench.letters(promised)) == FEW, 20)
    assert all(reason.startswith("rejected_recipient") for _, reason in bench.letters(promised))
