"""Where a peer keeps what it has: a schema of its own in PostgreSQL and a database of its own in Redis."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg2
import redis

from bench.peers.processes import PeerError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What makes an accepted notification durable; without it no figure of ours would mean anything.
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def schema(dsn: str, name: str, tables: str) -> Iterator[Any]:
    """A cursor in it, with ``tables`` made; each statement is its own transaction."""
    with closing(psycopg2.connect(dsn)) as connection, closing(connection.cursor()) as cursor:
        connection.autocommit = True
        for setting in DURABLE:
            cursor.execute(f"SHOW {setting}")
            if cursor.fetchone() != ("on",):
                raise PeerError(f"PostgreSQL runs without {setting}")
        cursor.execute("SET lock_timeout = '20s'")
        cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}; SET search_path = {name}")
        cursor.execute(tables)
        try:
            yield cursor
        finally:
            cursor.execute(f"DROP SCHEMA {name} CASCADE")


@contextmanager
def redis_database(url: str) -> Iterator[None]:
    """Empty at first, since it is emptied in the end: somebody's data is not ours to delete."""
    with redis.Redis.from_url(url) as client:
        if client.dbsize():
            raise PeerError(f"the Redis database {urlsplit(url).path} is in use")
        try:
            yield
        finally:
            client.flushdb()


def in_schema(dsn: str, name: str) -> str:
    """The DSN with which a connection finds the schema's tables by their bare names."""
    options = quote(f"-c search_path={name} -c synchronous_commit=on")
    return f"{dsn}{'&' if urlsplit(dsn).query else '?'}options={options}"


def numbered(url: str, database: int) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
