"""How a delivery gets to where a case begins, through the ports alone."""

from __future__ import annotations

from typing import Any

from nofy.domain.delivery import Fence, Leased, Report, State, fold
from nofy.domain.lifecycle import Status
from nofy.domain.notification import PlannedNotification
from nofy.domain.outcomes import Rejected, RejectionKind
from nofy.domain.records import QueueRecord
from nofy.domain.retry import Hold
from nofy.domain.routing import Channel
from nofy.ports.reading import DeliveryView
from nofy.ports.store import Queued
from tests.contract.stores import Backend
from tests.fakes.projects import Project, fences_of, report_on

LEASE_SECONDS = 300


class Told:
    """One delivery, and what can be told of it."""

    def __init__(self, store: Backend, project: Project, planned: PlannedNotification) -> None:
        self.store, self.project, self.planned = store, project, planned
        (self.fence,) = fences_of(planned)
        self.id = self.fence.delivery_id

    @property
    def view(self) -> DeliveryView:
        return self.store.delivery(self.project, self.id, self.planned.notification_id)

    @property
    def status(self) -> Status:
        return self.view.status

    @property
    def state(self) -> State:
        return self.store.outcomes.states([self.id])[self.id]

    @property
    def current(self) -> Fence:
        state = self.state
        return Fence(self.id, state.attempt_no, state.due_at)

    def attempt(self, number: int = 1):
        return self.store.attempt(self.project, self.id, self.planned.notification_id, number)

    def report(self, *what: Any, attempt_no: int = 1, **more: Any) -> Report:
        fence = Fence(self.id, attempt_no, self.fence.due_at)
        return report_on(fence, *what, at=self.store.now(), **more)

    def queue(self, partition: int = 2, offset: int = 7) -> Told:
        self.store.dispatches.mark_queued([Queued(self.current, partition, offset)])
        return self

    def lease(self) -> Told:
        assert [each.fence for each in lease(self.store, self.current)] == [self.current]
        return self

    def settle(self, *reports: Report) -> bool:
        """What the acks handler does with these reports; False if somebody was quicker."""
        return bool(self.store.outcomes.apply([fold(self.state, list(reports))]))

    def refuse_credential(self, version: int = 1) -> None:
        outcome = Rejected(RejectionKind.CONFIG, "token_revoked")
        attempt_no = self.state.attempt_no
        assert self.settle(
            self.report(outcome, Hold("token_revoked"), attempt_no=attempt_no, credential_version=version)
        )


def accepted(store: Backend, project: Project | None = None, *, channel: Channel = Channel.SLACK, **plan: Any) -> Told:
    project = project or store.project()
    planned = project.plan(channel, **plan)
    store.acceptances.accept(project.principal, [planned])
    return Told(store, project, planned)


def lease(store: Backend, *fences: Fence, seconds: int = LEASE_SECONDS) -> list[Leased]:
    return store.leases.lease([QueueRecord(each, store.now()) for each in fences], seconds)
