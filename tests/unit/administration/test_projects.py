"""Projects: who makes one owns it, and nobody archives the wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nofy.administration.bounds import MOST
from nofy.administration.projects import Projects
from nofy.domain.errors import ConflictError, InvalidRequestError, NotFoundError
from nofy.domain.ids import Prefix, encode
from nofy.domain.permissions import Role
from nofy.ports.accounts import ProjectChange
from tests.unit.administration.conftest import OWNER, person

if TYPE_CHECKING:
    from tests.unit.administration.conftest import Office


@pytest.fixture
def projects(office: Office) -> Projects:
    return Projects(office.accounts, office.announced.append)


def test_whoever_makes_a_project_owns_it_and_it_is_noted(office: Office, projects: Projects):
    (mine,) = projects.of(OWNER)
    assert (mine.project.name, mine.role) == ("Acme", Role.OWNER)
    assert office.log() == [("project.created", encode(Prefix.PROJECT, office.project_id), {"name": "Acme"})]


def test_one_person_owns_so_many_projects_and_no_more(
    office: Office, projects: Projects, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(MOST, "projects", 2)
    office.found("Second")
    with pytest.raises(ConflictError) as refused:
        projects.create(OWNER, "Third", office.occasion())
    assert refused.value.code == "too_many_projects"
    projects.archive(office.project_id, "Acme", office.occasion())
    assert projects.create(OWNER, "Third", office.occasion()).project.name == "Third"


def test_others_do_not_see_it(projects: Projects):
    assert projects.of(person("mallory")) == []


def test_only_what_is_named_is_changed_and_noted(office: Office, projects: Projects):
    changed = projects.change(office.project_id, ProjectChange(retention_days=30), office.occasion())
    assert (changed.name, changed.retention_days) == ("Acme", 30)
    assert office.log()[0][::2] == ("project.changed", {"retention_days": 30})


def test_a_project_is_archived_by_its_own_name_alone(office: Office, projects: Projects):
    with pytest.raises(InvalidRequestError) as refused:
        projects.archive(office.project_id, "acme", office.occasion())
    assert [(each.path, each.code) for each in refused.value.errors] == [("/name", "mismatch")]
    assert not office.announced
    assert projects.archive(office.project_id, "Acme", office.occasion()).archived_at == office.clock()
    assert office.announced == [office.project_id]
    assert office.log()[0][0] == "project.archived"


def test_an_archived_project_is_not_archived_again(office: Office, projects: Projects):
    projects.archive(office.project_id, "Acme", office.occasion())
    with pytest.raises(NotFoundError):
        projects.archive(office.project_id, "Acme", office.occasion())
    assert [each[0] for each in office.log()].count("project.archived") == 1


def test_what_is_not_there_is_not_found(office: Office, projects: Projects):
    nowhere = office.new_id()
    with pytest.raises(NotFoundError):
        projects.show(nowhere)
    with pytest.raises(NotFoundError):
        projects.change(nowhere, ProjectChange(name="x"), office.occasion())
