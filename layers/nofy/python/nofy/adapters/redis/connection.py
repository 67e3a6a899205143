"""One server, or a cluster of them: which holds a key, and commands that travel there together.

redis-py's own cluster pipeline knows no EVAL, and sends again, one by one, whatever got no answer. Nothing here is
ever sent twice: an error drops the connection, and the next use looks anew who holds which keys.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nofy.domain.errors import ScheduleUnavailableError, SignInError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis, RedisCluster
    from redis.client import Pipeline


@cache
def script(name: str) -> str:
    """A script's text: EVAL sends it whole, as asking whether a server knows it would cost a trip of its own."""
    return files(__package__).joinpath(f"{name}.lua").read_text()


class Connection:
    """Opened when first used. ``timeout`` in seconds is the longest wait for anything.

    ``password`` is asked at every connection: ElastiCache cuts those of IAM users after twelve hours, and what was
    signed then is long stale.
    """

    def __init__(
        self, url: str, *, timeout: float, password: Callable[[], str] | None = None, cluster: bool = False
    ) -> None:
        self._url = url
        self._timeout = timeout
        self._password = password
        self._cluster = cluster
        self._client: Redis | RedisCluster | None = None

    def of(self, key: str) -> Redis:
        """The server that holds a key."""
        from redis import RedisCluster

        client = self._connected()
        if isinstance(client, RedisCluster):
            node = client.get_node_from_key(key)  # type: ignore[no-untyped-call]  # redis-py's own omission
            return client.get_redis_connection(node)
        return client

    @contextmanager
    def translated(self) -> Iterator[None]:
        """redis-py's errors become Nofy's."""
        from redis.exceptions import RedisClusterException, RedisError

        try:
            yield
        except (RedisError, RedisClusterException, SignInError) as error:
            self.close()
            raise ScheduleUnavailableError(str(error)) from error

    def close(self) -> None:
        """Hang up; the next use connects again."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Redis | RedisCluster:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> Redis | RedisCluster:
        """redis-py's defaults wait 5 s and try again: a server that swallows packets would hold a producer a minute."""
        from redis import Redis, RedisCluster
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        url, never = self._url, Retry(NoBackoff(), 0)
        options: dict[str, Any] = {"socket_timeout": self._timeout, "socket_connect_timeout": self._timeout}
        if self._password:
            url, options["credential_provider"] = _signing_in(url, self._password)
        if self._cluster:
            return RedisCluster.from_url(url, retry=never, **options)
        return Redis.from_url(url, retry=never, health_check_interval=30, **options)


class Batch:
    """Commands, each queued on the server of its key: one trip to each server that has any."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pipelines: dict[Redis, Pipeline] = {}
        self._queued: list[Pipeline] = []

    def on(self, key: str) -> Any:
        """Where to queue one command about a key."""
        server = self._connection.of(key)
        if server not in self._pipelines:
            self._pipelines[server] = server.pipeline(transaction=False)
        self._queued.append(self._pipelines[server])
        return self._queued[-1]

    @property
    def trips(self) -> int:
        return len(self._pipelines)

    def execute(self) -> list[Any]:
        """The answers, in the order in which the commands were queued."""
        answers = {id(each): iter(each.execute()) for each in self._pipelines.values()}
        return [next(answers[id(each)]) for each in self._queued]


class _SigningIn:
    """redis-py asks it whenever it has opened a connection."""

    def __init__(self, user: str, password: Callable[[], str]) -> None:
        self._user = user
        self._password = password

    def get_credentials(self) -> tuple[str, str]:
        return self._user, self._password()


def _signing_in(url: str, password: Callable[[], str]) -> tuple[str, _SigningIn]:
    """The address without its user, and who signs in there: redis-py takes one of the two only."""
    where = urlsplit(url)
    address = where.netloc.rpartition("@")[2]
    return where._replace(netloc=address).geturl(), _SigningIn(where.username or "", password)
