"""The console's routes, as the OpenAPI document tells them."""

from __future__ import annotations

from nofy.runtime.api.operations import COMMON, Operation

_BODY = (*COMMON, 413, 422)
# (whoever names no project can be refused for none)
_PERSON = (401, 429, 500, 503)
_PERSON_BODY = (400, *_PERSON, 413, 422)


def console_operations() -> tuple[Operation, ...]:
    """Every route of the console."""
    return (*_projects(), *_members(), *_invitations(), *_tokens(), *_integrations(), *_records())


def _projects() -> tuple[Operation, ...]:
    from nofy.runtime.api import console_models as bodies
    from nofy.runtime.api import console_schemas as schemas

    return (
        Operation("showMe", "Who is signed in, and where they belong", (200, schemas.Me), _PERSON),
        Operation("listProjects", "List the projects one is a member of", (200, schemas.ProjectList), _PERSON),
        Operation(
            "createProject",
            "Make a project, and be its owner",
            (201, schemas.ProjectOfMember),
            (*_PERSON_BODY, 409),
            body=bodies.ProjectRequest,
        ),
        Operation("getProject", "One project", (200, schemas.ProjectWithPermissions)),
        Operation(
            "changeProject",
            "Give a project another name or time of retention",
            (200, schemas.ProjectWithPermissions),
            _BODY,
            body=bodies.ProjectPatch,
        ),
        Operation(
            "archiveProject",
            "Close a project for good: its tokens stop, nobody acts in it any more",
            (200, schemas.Project),
            _BODY,
            body=bodies.ArchiveRequest,
        ),
    )


def _members() -> tuple[Operation, ...]:
    from nofy.runtime.api import console_models as bodies
    from nofy.runtime.api import console_schemas as schemas

    return (
        Operation("leaveProject", "Be no member any more", (200, schemas.Removed), (*COMMON, 409)),
        Operation("listMembers", "List the people in a project", (200, schemas.MemberList)),
        Operation(
            "changeMember",
            "Give a member another role; owners alone give and take that of an owner",
            (200, schemas.Member),
            (*_BODY, 409),
            body=bodies.RoleRequest,
        ),
        Operation("removeMember", "Send somebody away", (200, schemas.Removed), (*COMMON, 409)),
    )


def _invitations() -> tuple[Operation, ...]:
    from nofy.runtime.api import console_models as bodies
    from nofy.runtime.api import console_schemas as schemas

    return (
        Operation("listInvitations", "List the invitations that are open", (200, schemas.InvitationList)),
        Operation(
            "createInvitation",
            "Invite somebody: by a link to copy, and by e-mail where the project sends any",
            (201, schemas.CreatedInvitation),
            (*_BODY, 409),
            body=bodies.InvitationRequest,
        ),
        Operation("revokeInvitation", "Close an invitation", (200, schemas.Removed)),
        Operation(
            "acceptInvitation",
            "Join a project",
            (200, schemas.ProjectOfMember),
            (*_PERSON_BODY, 403, 404),
            body=bodies.AcceptInvitationRequest,
        ),
    )


def _tokens() -> tuple[Operation, ...]:
    from nofy.runtime.api import console_models as bodies
    from nofy.runtime.api import console_schemas as schemas

    return (
        Operation("listTokens", "List API tokens, without their secrets", (200, schemas.ApiTokenList)),
        Operation(
            "createToken",
            "Make an API token; its secret is shown this once",
            (201, schemas.CreatedApiToken),
            (*_BODY, 409),
            body=bodies.TokenRequest,
        ),
        Operation("revokeToken", "Revoke an API token, everywhere within 30 s", (200, schemas.Removed)),
    )


def _integrations() -> tuple[Operation, ...]:
    from nofy.runtime.api import console_models as bodies
    from nofy.runtime.api import console_schemas as schemas

    return (
        Operation("listIntegrations", "List the ways to providers", (200, schemas.IntegrationList)),
        Operation(
            "createIntegration",
            "Add a way to a provider, which is asked about the credential first",
            (201, schemas.Integration),
            (*_BODY, 409),
            body=bodies.IntegrationRequest,
        ),
        Operation("getIntegration", "One integration", (200, schemas.Integration)),
        Operation(
            "changeIntegration",
            "Change an integration; with another credential, what waits for it goes on",
            (200, schemas.Integration),
            _BODY,
            body=bodies.IntegrationPatch,
        ),
        Operation("removeIntegration", "Remove an integration", (200, schemas.Removed), (*COMMON, 409)),
    )


def _records() -> tuple[Operation, ...]:
    from nofy.runtime.api import console_models as bodies
    from nofy.runtime.api import console_schemas as schemas

    return (
        Operation(
            "listAuditEntries",
            "Who did what in a project, newest first",
            (200, schemas.AuditPage),
            (*COMMON, 422),
            query=bodies.AuditQuery,
        ),
        Operation(
            "eraseRecipient",
            "Erase what is stored about a person; the answer says what remains",
            (200, schemas.ErasureReport),
            (*COMMON, 422),
            query=bodies.ErasureQuery,
        ),
    )
