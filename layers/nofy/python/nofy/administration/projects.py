"""Projects: made, renamed, archived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nofy.administration.bounds import refuse_beyond
from nofy.domain.accounts import Membership
from nofy.domain.errors import FieldError, InvalidRequestError, NotFoundError
from nofy.domain.ids import Prefix, encode
from nofy.domain.permissions import Role

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.administration.occasion import Announce, Occasion
    from nofy.domain.accounts import Identity, Project
    from nofy.ports.accounts import People, ProjectChange


@dataclass(frozen=True, slots=True)
class Projects:
    """What people do with a project as a whole. NotFoundError for one that is not there (any more)."""

    people: People
    announce: Announce

    def of(self, identity: Identity) -> list[Membership]:
        """Where somebody is a member; their name and address become known there."""
        self.people.signed_in(identity)
        return self.people.projects(identity.user_id)

    def create(self, identity: Identity, name: str, occasion: Occasion) -> Membership:
        """A project with whoever makes it as its owner."""
        owned = [each for each in self.of(identity) if each.role is Role.OWNER and not each.project.archived_at]
        refuse_beyond("projects", len(owned))
        project_id = occasion.new_id()
        entry = occasion.entry("project.created", encode(Prefix.PROJECT, project_id), name=name)
        return Membership(self.people.create_project(project_id, name, identity.user_id, entry), Role.OWNER)

    def show(self, project_id: UUID) -> Project:
        return _found(self.people.project(project_id))

    def change(self, project_id: UUID, change: ProjectChange, occasion: Occasion) -> Project:
        wanted = {"name": change.name, "retention_days": change.retention_days}
        details = {name: value for name, value in wanted.items() if value is not None}
        entry = occasion.entry("project.changed", encode(Prefix.PROJECT, project_id), **details)
        return _found(self.people.change_project(project_id, change, entry))

    def archive(self, project_id: UUID, name: str, occasion: Occasion) -> Project:
        """For good: ``name`` must be the project's own, so that nobody archives another one than they think."""
        if self.show(project_id).name != name:
            raise InvalidRequestError([FieldError("/name", "mismatch", "is not the name of this project")])
        entry = occasion.entry("project.archived", encode(Prefix.PROJECT, project_id))
        if not self.people.archive_project(project_id, entry):
            raise NotFoundError(str(project_id))
        self.announce(project_id)
        return self.show(project_id)


def _found(project: Project | None) -> Project:
    if project is None:
        raise NotFoundError("project")
    return project
