"""Every route of the API, whichever function has it: its address, and what it takes to call it.

The one table of both: ``Routes`` (``runtime/api/edge.py``) registers what stands here and nothing else, and asks for
the permission that stands here; the OpenAPI document tells the same lines. Kept apart from the models that
``runtime/api/operations.py`` describes the routes with, for those would triple what a cold start loads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nofy.domain.permissions import Permission


class Function(StrEnum):
    """Which function answers."""

    PRODUCER = "producer"
    CONSOLE = "console"
    SESSION = "session"


class Access(StrEnum):
    """Who may call a route."""

    PROJECT = "project"  # a member or an API token of the project, with the route's permission
    PERSON = "person"  # whoever holds a console token, before they choose a project
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``permission`` is what it takes in the project; None where no project is asked for."""

    name: str
    method: str
    path: str
    permission: Permission | None
    function: Function
    access: Access = Access.PROJECT

    def __post_init__(self) -> None:
        if (self.permission is not None) != (self.access is Access.PROJECT):
            raise ValueError(f"{self.name}: what is asked within a project takes a permission, and nothing else does")

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """What the path names, by the names in braces; None where another route is meant. A slash at its end is air."""
        if method.lower() != self.method:
            return None
        wanted, given = self.path.split("/"), path.rstrip("/").split("/")
        if len(wanted) != len(given):
            return None
        parameters: dict[str, str] = {}
        for want, have in zip(wanted, given, strict=True):
            if want.startswith("{") and have:
                parameters[want[1:-1]] = have
            elif want != have:
                return None
        return parameters

    @property
    def in_project(self) -> bool:
        """Whether the path names the project; elsewhere a person names it by the header Nofy-Project."""
        return "{project_id}" in self.path


_READ, _SEND, _AMEND = Permission.NOTIFICATIONS_READ, Permission.NOTIFICATIONS_SEND, Permission.NOTIFICATIONS_AMEND
_LETTERS, _WORK_LETTERS = Permission.DEAD_LETTERS_READ, Permission.DEAD_LETTERS_MANAGE
_NOTIFICATION = "/v1/notifications/{notification_id}"
_LETTER = "/v1/dead-letters/{dead_letter_id}"

PRODUCER: tuple[Route, ...] = (
    Route("describe", "get", "/v1/openapi.json", None, Function.PRODUCER, Access.PUBLIC),
    Route("createNotification", "post", "/v1/notifications", _SEND, Function.PRODUCER),
    Route("createNotifications", "post", "/v1/notifications/batch", _SEND, Function.PRODUCER),
    Route("listNotifications", "get", "/v1/notifications", _READ, Function.PRODUCER),
    Route("getNotification", "get", _NOTIFICATION, _READ, Function.PRODUCER),
    Route("moveNotification", "patch", _NOTIFICATION, _AMEND, Function.PRODUCER),
    Route("cancelNotification", "post", f"{_NOTIFICATION}/cancel", _AMEND, Function.PRODUCER),
    Route("sendNotificationAgain", "post", f"{_NOTIFICATION}/send-again", _SEND, Function.PRODUCER),
    Route("getStatistics", "get", "/v1/stats", _READ, Function.PRODUCER),
    Route("listDeadLetters", "get", "/v1/dead-letters", _LETTERS, Function.PRODUCER),
    Route("listDeadLetterGroups", "get", "/v1/dead-letters/groups", _LETTERS, Function.PRODUCER),
    Route("getDeadLetter", "get", _LETTER, _LETTERS, Function.PRODUCER),
    Route("previewRedrive", "post", "/v1/dead-letters/redrive/preview", _LETTERS, Function.PRODUCER),
    Route("redriveDeadLetters", "post", "/v1/dead-letters/redrive", _WORK_LETTERS, Function.PRODUCER),
    Route("discardDeadLetters", "post", "/v1/dead-letters/discard", _WORK_LETTERS, Function.PRODUCER),
    Route("redriveDeadLetter", "post", f"{_LETTER}/redrive", _WORK_LETTERS, Function.PRODUCER),
    Route("discardDeadLetter", "post", f"{_LETTER}/discard", _WORK_LETTERS, Function.PRODUCER),
)

_C = Function.CONSOLE
_PROJECT = "/v1/projects/{project_id}"
_MEMBER = f"{_PROJECT}/members/{{user_id}}"
_INVITATION = f"{_PROJECT}/invitations/{{invitation_id}}"
_INTEGRATION = f"{_PROJECT}/integrations/{{integration_id}}"

CONSOLE: tuple[Route, ...] = (
    Route("showMe", "get", "/v1/me", None, _C, Access.PERSON),
    Route("listProjects", "get", "/v1/projects", None, _C, Access.PERSON),
    Route("createProject", "post", "/v1/projects", None, _C, Access.PERSON),
    Route("acceptInvitation", "post", "/v1/invitations/accept", None, _C, Access.PERSON),
    Route("getProject", "get", _PROJECT, Permission.PROJECT_READ, _C),
    Route("changeProject", "patch", _PROJECT, Permission.PROJECT_UPDATE, _C),
    Route("archiveProject", "post", f"{_PROJECT}/archive", Permission.PROJECT_ARCHIVE, _C),
    # (whoever may see the members is one: API tokens never may)
    Route("leaveProject", "post", f"{_PROJECT}/leave", Permission.MEMBERS_READ, _C),
    Route("listMembers", "get", f"{_PROJECT}/members", Permission.MEMBERS_READ, _C),
    Route("changeMember", "patch", _MEMBER, Permission.MEMBERS_MANAGE, _C),
    Route("removeMember", "delete", _MEMBER, Permission.MEMBERS_MANAGE, _C),
    Route("listInvitations", "get", f"{_PROJECT}/invitations", Permission.MEMBERS_READ, _C),
    Route("createInvitation", "post", f"{_PROJECT}/invitations", Permission.MEMBERS_MANAGE, _C),
    Route("revokeInvitation", "delete", _INVITATION, Permission.MEMBERS_MANAGE, _C),
    Route("listTokens", "get", f"{_PROJECT}/tokens", Permission.TOKENS_READ, _C),
    Route("createToken", "post", f"{_PROJECT}/tokens", Permission.TOKENS_MANAGE, _C),
    Route("revokeToken", "delete", f"{_PROJECT}/tokens/{{token_id}}", Permission.TOKENS_MANAGE, _C),
    Route("listIntegrations", "get", f"{_PROJECT}/integrations", Permission.INTEGRATIONS_READ, _C),
    Route("createIntegration", "post", f"{_PROJECT}/integrations", Permission.INTEGRATIONS_MANAGE, _C),
    Route("getIntegration", "get", _INTEGRATION, Permission.INTEGRATIONS_READ, _C),
    Route("changeIntegration", "patch", _INTEGRATION, Permission.INTEGRATIONS_MANAGE, _C),
    Route("removeIntegration", "delete", _INTEGRATION, Permission.INTEGRATIONS_MANAGE, _C),
    Route("listAuditEntries", "get", f"{_PROJECT}/audit-log", Permission.AUDIT_READ, _C),
    Route("eraseRecipient", "delete", "/v1/recipients", Permission.RECIPIENTS_ERASE, _C),
)
SESSION: tuple[Route, ...] = (Route("signIn", "post", "/v1/session", None, Function.SESSION, Access.PUBLIC),)

ROUTES: dict[str, Route] = {each.name: each for each in (*PRODUCER, *CONSOLE, *SESSION)}
