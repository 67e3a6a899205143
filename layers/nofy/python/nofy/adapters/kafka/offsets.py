"""How far topics reach, and how far consumer groups have read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.adapters.kafka.signing import signing_in
from nofy.domain.errors import BusUnavailableError

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

REQUEST_TIMEOUT_MS = 5_000


class KafkaOffsets:
    """Implements :class:`nofy.ports.bus.Offsets`. Connects when first used."""

    def __init__(self, bootstrap: str, *, iam: bool = False) -> None:
        self._bootstrap = bootstrap
        self._signing_in = signing_in(iam=iam)
        self._admin: KafkaAdminClient | None = None

    def committed(self, group: str, topic: str) -> dict[int, int]:
        from kafka.errors import GroupIdNotFoundError, KafkaError

        try:
            offsets = self._connected().list_group_offsets(group)[group]
        except GroupIdNotFoundError:
            return {}  # a group that never committed anything
        except (KafkaError, KeyError) as error:
            self._discard()
            raise BusUnavailableError(f"offsets of {group}: {error!r}") from error
        return {where.partition: at.offset for where, at in offsets.items() if where.topic == topic}

    def ends(self, topic: str) -> dict[int, int] | None:
        from kafka import TopicPartition
        from kafka.admin import OffsetSpec
        from kafka.errors import KafkaError

        try:
            admin = self._connected()
            (described,) = admin.describe_topics([topic])
            where = [TopicPartition(topic, each["partition_index"]) for each in described["partitions"]]
            ends = admin.list_partition_offsets(dict.fromkeys(where, OffsetSpec.LATEST))
        except KafkaError as error:
            self._discard()
            raise BusUnavailableError(f"end of {topic}: {error!r}") from error
        return {each.partition: at.offset for each, at in ends.items()}

    def close(self) -> None:
        """Hang up; the next use connects again."""
        self._discard()

    def _connected(self) -> KafkaAdminClient:
        if self._admin is None:
            from kafka import KafkaAdminClient
            from kafka.errors import KafkaError
            from kafka.net.compat import KafkaNetClient

            begun: list[KafkaNetClient] = []

            def client(**config: Any) -> KafkaNetClient:
                begun.append(KafkaNetClient(**config))
                return begun[-1]

            try:
                self._admin = KafkaAdminClient(
                    bootstrap_servers=self._bootstrap,
                    **self._signing_in,
                    request_timeout_ms=REQUEST_TIMEOUT_MS,
                    bootstrap_timeout_ms=REQUEST_TIMEOUT_MS,
                    kafka_client=client,
                )
            except KafkaError as error:
                for each in begun:
                    each.close()  # an admin that finds no broker leaves a thread behind that goes on looking
                raise BusUnavailableError(f"no broker at {self._bootstrap}: {error!r}") from error
        return self._admin

    def _discard(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            admin.close()


class UnreportedOffsets:
    """For a broker that reports wrong end offsets (Tansu): every lane has its whole credit.

    Nothing is ever "passed" either, so the reconciler leaves queued work alone.
    """

    def committed(self, group: str, topic: str) -> dict[int, int]:  # noqa: ARG002
        return {}

    def ends(self, topic: str) -> None:
        pass
