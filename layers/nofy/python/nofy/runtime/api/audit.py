"""The route of the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.queries import accounts
from nofy.queries.pages import decode_cursor, encode_cursor
from nofy.runtime.api.requests import read
from nofy.runtime.api.responses import answer

if TYPE_CHECKING:
    from nofy.domain.notification import Principal
    from nofy.ports.accounts import Belongings
    from nofy.runtime.api.application import Application
    from nofy.runtime.api.edge import Routes
    from nofy.runtime.api.responses import Response


def register(routes: Routes, app: Application, belongings: Belongings) -> None:
    """Add the route to a resolver."""

    @routes.of_project("listAuditEntries")
    def index(principal: Principal) -> Response:
        from nofy.runtime.api.console_models import AuditQuery

        asked = read(AuditQuery, app.query, "?")
        before = decode_cursor(asked.cursor) if asked.cursor else None
        found = belongings.audit_log(principal.project_id, before, asked.limit + 1, asked.action)
        page, more = found[: asked.limit], len(found) > asked.limit
        cursor = encode_cursor(page[-1].entry_id) if more else None
        return answer(200, {"entries": [accounts.audit_entry(each) for each in page], "next_cursor": cursor})
