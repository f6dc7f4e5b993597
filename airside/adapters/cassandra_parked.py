"""Parked commands in Cassandra, by offset, a bucket at a time."""

from collections.abc import Iterator

from airside.adapters.cassandra_session import CassandraSession
from commands.event_store import Parked

PAGE_RECORDS = 50  # of up to 1 MiB each
PAGE_KEYS = 5_000


class ParkedRecords:
    """Reads them; they are written with the index."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    def accounts(self, shard: int) -> dict[str, int]:
        """Who waits, and the offset of the first of each. Raises: Unavailable."""
        first: dict[str, int] = {}
        for bucket in self._buckets(shard):
            for account_id, offset in self._session.pages(
                "parked_accounts", shard, bucket, rows_max=PAGE_KEYS
            ):
                first.setdefault(account_id, offset)
        return first

    def records(self, shard: int, account_id: str | None) -> Iterator[Parked]:
        """The records, of one account or of all. Raises: Unavailable."""
        for bucket in self._buckets(shard):
            if account_id is None:
                pages = self._session.pages("parked", shard, bucket, rows_max=PAGE_RECORDS)
            else:
                pages = self._session.pages(
                    "parked_of_account", shard, bucket, account_id, rows_max=PAGE_RECORDS
                )
            yield from (Parked(*row) for row in pages)

    def _buckets(self, shard: int) -> list[int]:
        return [row[0] for row in self._session.rows("buckets", shard)]
