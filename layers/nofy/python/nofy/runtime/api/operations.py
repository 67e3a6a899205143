"""Every route of the API, as the OpenAPI document tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Operation:
    """One route of the API."""

    method: str
    path: str
    name: str
    summary: str
    answers: tuple[int, type[BaseModel]]
    problems: tuple[int, ...]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    idempotent: bool = False
    body_optional: bool = False


def operations() -> tuple[Operation, ...]:
    """Every route; a test holds this list against the routes that are registered."""
    from nofy.runtime.api import models, schemas

    common = (401, 429, 500, 503)
    one = (404, *common)
    return (
        Operation(
            "post",
            "/v1/notifications",
            "createNotification",
            "Accept a notification",
            (202, schemas.Notification),
            (400, 409, 413, 422, *common),
            body=models.NotificationRequest,
            idempotent=True,
        ),
        Operation(
            "post",
            "/v1/notifications/batch",
            "createNotifications",
            "Accept up to a hundred notifications; each is judged by itself",
            (202, schemas.Batch),
            (400, 409, 413, 422, *common),
            body=models.BatchRequest,
            idempotent=True,
        ),
        Operation(
            "get",
            "/v1/notifications",
            "listNotifications",
            "List notifications, newest first",
            (200, schemas.NotificationPage),
            (422, *common),
            query=models.NotificationsQuery,
        ),
        Operation(
            "get",
            "/v1/notifications/{notification_id}",
            "getNotification",
            "One notification with its timeline",
            (200, schemas.NotificationWithTimeline),
            one,
        ),
        Operation(
            "patch",
            "/v1/notifications/{notification_id}",
            "moveNotification",
            "Give a notification another time",
            (200, schemas.NotificationWithTimeline),
            (400, 409, 413, 422, *one),
            body=models.MoveRequest,
        ),
        Operation(
            "post",
            "/v1/notifications/{notification_id}/cancel",
            "cancelNotification",
            "Stop every delivery that has not been begun",
            (200, schemas.NotificationWithTimeline),
            (409, *one),
        ),
        *_dead_letters(common, one),
    )


def _dead_letters(common: tuple[int, ...], one: tuple[int, ...]) -> tuple[Operation, ...]:
    from nofy.runtime.api import dead_letter_models as bodies
    from nofy.runtime.api import models, schemas

    asked = (400, 413, 422)
    return (
        Operation(
            "get",
            "/v1/dead-letters",
            "listDeadLetters",
            "List deliveries that ended in failure, newest first",
            (200, schemas.DeadLetterPage),
            (422, *common),
            query=bodies.DeadLettersQuery,
        ),
        Operation(
            "get",
            "/v1/dead-letters/groups",
            "listDeadLetterGroups",
            "Failures with the same cause, the latest cause first",
            (200, schemas.DeadLetterGroupPage),
            (422, *common),
            query=models.PageQuery,
        ),
        Operation(
            "get",
            "/v1/dead-letters/{dead_letter_id}",
            "getDeadLetter",
            "One dead letter",
            (200, schemas.DeadLetter),
            one,
        ),
        Operation(
            "post",
            "/v1/dead-letters/redrive/preview",
            "previewRedrive",
            "What a redrive of these would do now; nothing is changed",
            (200, schemas.RedrivePreview),
            (*asked, *common),
            body=bodies.DeadLetterSelection,
        ),
        Operation(
            "post",
            "/v1/dead-letters/redrive",
            "redriveDeadLetters",
            "Send open dead letters again, so many and so fast",
            (202, schemas.Redriven),
            (*asked, *common),
            body=bodies.RedriveRequest,
        ),
        Operation(
            "post",
            "/v1/dead-letters/discard",
            "discardDeadLetters",
            "Put open dead letters away with a reason",
            (200, schemas.Discarded),
            (*asked, *common),
            body=bodies.DiscardRequest,
        ),
        Operation(
            "post",
            "/v1/dead-letters/{dead_letter_id}/redrive",
            "redriveDeadLetter",
            "Send a dead letter again, once, to another address or with other content where wished",
            (202, schemas.DeadLetter),
            (409, *asked, *one),
            body=bodies.EditRequest,
            body_optional=True,
        ),
        Operation(
            "post",
            "/v1/dead-letters/{dead_letter_id}/discard",
            "discardDeadLetter",
            "Put a dead letter away with a reason",
            (200, schemas.DeadLetter),
            (409, *asked, *one),
            body=bodies.DiscardOneRequest,
        ),
    )
