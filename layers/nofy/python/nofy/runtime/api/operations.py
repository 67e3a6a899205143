"""Every route of the API, as the OpenAPI document tells it. Its address and permission: ``runtime/api/routes.py``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nofy.runtime.api.routes import ROUTES, Access, Function, Route

if TYPE_CHECKING:
    from pydantic import BaseModel

    from nofy.domain.permissions import Permission

# What whoever asks within a project can meet on any route.
COMMON = (400, 401, 403, 404, 429, 500, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """One route's description; ``name`` is the route's in the table. ``refused`` is a 422 that tells more than most."""

    name: str
    summary: str
    answers: tuple[int, type[BaseModel]]
    problems: tuple[int, ...] = COMMON
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    idempotent: bool = False
    body_optional: bool = False
    refused: type[BaseModel] | None = None

    @property
    def route(self) -> Route:
        return ROUTES[self.name]

    @property
    def method(self) -> str:
        return self.route.method

    @property
    def path(self) -> str:
        return self.route.path

    @property
    def permission(self) -> Permission | None:
        """What it takes in the project; None where none is asked for."""
        return self.route.permission

    @property
    def function(self) -> Function:
        return self.route.function

    @property
    def access(self) -> Access:
        return self.route.access


def operations() -> tuple[Operation, ...]:
    """Every route but the document's own; a test holds this list against the table and what is registered."""
    from nofy.runtime.api import models, schemas, sign_in_models, statistics_schemas
    from nofy.runtime.api.console_operations import console_operations

    return (
        Operation(
            "createNotification",
            "Accept a notification",
            (202, schemas.Notification),
            (*COMMON, 409, 413, 422),
            body=models.NotificationRequest,
            idempotent=True,
        ),
        Operation(
            "createNotifications",
            "Accept up to a hundred notifications; each is judged by itself",
            (202, schemas.Batch),
            (*COMMON, 409, 413, 422),
            body=models.BatchRequest,
            idempotent=True,
            refused=schemas.NothingAccepted,
        ),
        Operation(
            "listNotifications",
            "List notifications, newest first",
            (200, schemas.NotificationPage),
            (*COMMON, 422),
            query=models.NotificationsQuery,
        ),
        Operation(
            "getNotification",
            "One notification with its timeline",
            (200, schemas.NotificationWithTimeline),
        ),
        Operation(
            "moveNotification",
            "Give a notification another time",
            (200, schemas.NotificationWithTimeline),
            (*COMMON, 409, 413, 422),
            body=models.MoveRequest,
        ),
        Operation(
            "cancelNotification",
            "Stop every delivery that has not been begun",
            (200, schemas.NotificationWithTimeline),
            (*COMMON, 409),
        ),
        Operation(
            "sendNotificationAgain",
            "Accept a new notification with the same content and recipients, due at once",
            (202, schemas.Notification),
            (*COMMON, 409, 422),
            idempotent=True,
        ),
        Operation(
            "getStatistics",
            "What happened over a range of time, and where deliveries are now",
            (200, statistics_schemas.Statistics),
            (*COMMON, 422),
            query=models.StatisticsQuery,
        ),
        *_dead_letters(),
        *console_operations(),
        Operation(
            "signIn",
            "A console token for a person whom AppWrite, or an OIDC issuer, vouches for",
            (201, sign_in_models.Session),
            (400, 401, 403, 413, 422, 500, 503),
            body=sign_in_models.SessionRequest,
        ),
    )


def _dead_letters() -> tuple[Operation, ...]:
    from nofy.runtime.api import dead_letter_models as bodies
    from nofy.runtime.api import dead_letter_schemas as schemas
    from nofy.runtime.api import models

    asked = (413, 422)
    return (
        Operation(
            "listDeadLetters",
            "List deliveries that ended in failure, newest first",
            (200, schemas.DeadLetterPage),
            (*COMMON, 422),
            query=bodies.DeadLettersQuery,
        ),
        Operation(
            "listDeadLetterGroups",
            "Failures with the same cause, the latest cause first",
            (200, schemas.DeadLetterGroupPage),
            (*COMMON, 422),
            query=models.PageQuery,
        ),
        Operation(
            "getDeadLetter",
            "One dead letter",
            (200, schemas.DeadLetter),
        ),
        Operation(
            "previewRedrive",
            "What a redrive of these would do now; nothing is changed",
            (200, schemas.RedrivePreview),
            (*COMMON, *asked),
            body=bodies.DeadLetterSelection,
        ),
        Operation(
            "redriveDeadLetters",
            "Send open dead letters again, so many and so fast",
            (202, schemas.Redriven),
            (*COMMON, *asked),
            body=bodies.RedriveRequest,
        ),
        Operation(
            "discardDeadLetters",
            "Put open dead letters away with a reason",
            (200, schemas.Discarded),
            (*COMMON, *asked),
            body=bodies.DiscardRequest,
        ),
        Operation(
            "redriveDeadLetter",
            "Send a dead letter again, once, to another address or with other content where wished",
            (202, schemas.DeadLetter),
            (*COMMON, 409, *asked),
            body=bodies.EditRequest,
            body_optional=True,
        ),
        Operation(
            "discardDeadLetter",
            "Put a dead letter away with a reason",
            (200, schemas.DeadLetter),
            (*COMMON, 409, *asked),
            body=bodies.DiscardOneRequest,
        ),
    )
