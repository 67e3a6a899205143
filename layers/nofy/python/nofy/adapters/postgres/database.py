"""One connection, opened when first needed; psycopg2's errors become Nofy's here and nowhere else."""

from __future__ import annotations

import time
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import NofyError, SignInError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import psycopg2
    from psycopg2.extensions import connection as Connection  # noqa: N812

# A producer behind API Gateway has 29 s in all; a database that does not answer the door in 3 is down.
CONNECT_TIMEOUT = 3
# As migrations/0006_sessions.sql sets it on the roles (the contract suite compares); for whoever must outlive it.
STATEMENT_TIMEOUT_MS = 15_000
# Start-up, and two steps of SCRAM: what a connection costs in round trips.
CONNECT_TRIPS = 3
# After this long without use (a frozen Lambda, a proxy that hung up) the connection is tried before it is trusted.
IDLE_SECONDS = 30.0


class RefusedByDatabaseError(NofyError):
    """PostgreSQL refused the statement; ``code`` is its SQLSTATE. For adapters to interpret."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@cache
def statement(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return files(__package__).joinpath("sql", f"{name}.sql").read_text()


# In the trip of a statement that joins a batch of ids with the deliveries: rows are looked up by their keys. The
# planner cannot know that a batch names a few rows of a few weeks, and would rather read all that wait in every week
# there is: with 300,000 of them in 52 weeks that cost PostgreSQL three times the CPU, and more the more there were.
# By set_config and for one transaction: an RDS Proxy keeps a session for itself that says SET.
BY_KEY = "SELECT set_config('enable_seqscan', 'off', true);"


def _words(error: psycopg2.Error) -> str:
    """What PostgreSQL says of an error, without what it quotes: these words are logged.

    Its DETAIL has rows, its LINE a piece of the statement (with the message in it), its words about data (class 22)
    the data. For the same reason nothing is raised ``from`` the driver's error, which a traceback would show whole.
    """
    if error.pgcode is None:
        return str(error).strip()  # libpq's own, about the connection
    if error.pgcode.startswith("22"):
        return type(error).__name__
    return str(error.diag.message_primary)


class Database:
    """Statements in autocommit: one statement, one network round trip.

    A session is set as its role is (``migrations/0006_sessions.sql``), because a proxy takes no options from here.
    psycopg2 sends what :meth:`run` gets as one simple query, so several statements in one text are one trip and
    one implicit transaction: that is how ``set_config(..., true)`` and the statement it is meant for travel together.
    """

    def __init__(
        self,
        dsn: str,
        *,
        application: str,
        password: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dsn = dsn
        self._application = application
        self._password = password  # asked at every connection: a token of IAM is good for a quarter of an hour
        self._clock = clock
        self._connection: Connection | None = None
        self._used = 0.0
        self.trips = 0  # counted for the tests that bound them

    def run(self, text: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of the (last) statement; an empty list where it has none."""
        import psycopg2

        connection = self._usable()
        try:
            return self._execute(connection, text, parameters)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            self._discard()
            raise StoreUnavailableError(_words(error)) from None
        except psycopg2.Error as error:
            if error.pgcode is None or error.pgcode.startswith(("08", "57", "53")):
                self._discard()
                raise StoreUnavailableError(_words(error)) from None
            raise RefusedByDatabaseError(error.pgcode, _words(error)) from None

    @property
    def connected(self) -> bool:
        return self._connection is not None and not self._connection.closed

    def close(self) -> None:
        """Hang up; the next statement connects again."""
        self._discard()

    def _execute(
        self, connection: Connection, text: str, parameters: Mapping[str, Any] | None
    ) -> list[tuple[Any, ...]]:
        self.trips += 1
        with connection.cursor() as cursor:
            cursor.execute(text, parameters)
            self._used = self._clock()
            return cursor.fetchall() if cursor.description else []

    def _usable(self) -> Connection:
        if self._connection is None or self._connection.closed:
            return self._connect()
        if self._clock() - self._used > IDLE_SECONDS and not self._alive(self._connection):
            self._discard()
            return self._connect()
        return self._connection

    def _alive(self, connection: Connection) -> bool:
        import psycopg2

        try:
            self._execute(connection, "SELECT 1", None)
        except psycopg2.Error:
            return False
        return True

    def _connect(self) -> Connection:
        import psycopg2
        from psycopg2.extras import register_uuid

        try:
            connection = psycopg2.connect(
                self._dsn_with_password(),
                connect_timeout=CONNECT_TIMEOUT,
                application_name=self._application,
            )
        except (psycopg2.Error, SignInError) as error:
            raise StoreUnavailableError(str(error).strip()) from error
        connection.autocommit = True
        register_uuid(conn_or_curs=connection)  # type: ignore[no-untyped-call]
        self.trips += CONNECT_TRIPS
        self._connection = connection
        self._used = self._clock()
        return connection

    def _dsn_with_password(self) -> str:
        from psycopg2.extensions import make_dsn

        return make_dsn(self._dsn, password=self._password()) if self._password else self._dsn

    def _discard(self) -> None:
        import contextlib

        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):  # it is being thrown away because it is broken
                connection.close()
