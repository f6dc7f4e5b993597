"""Accounts that are loaded ahead: on a thread of its own, while the store's thread decides.

A worker that asks for its next accounts while a commit is under way finds them there. What is
read here is what `Accounts` reads at first: who needs more than that (a second look, the
archive) is left out, and loaded by the store's thread.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from cassandra.cluster import ResponseFuture

from airside.adapters.cassandra_accounts import Accounts, has_gap
from airside.adapters.cassandra_archived import Archived
from airside.adapters.cassandra_session import CassandraSession
from commands.event_store import Loaded


class Ahead:
    """One thread, started when it is first needed."""

    def __init__(self, session: CassandraSession, archived: Archived) -> None:
        self._accounts = Accounts(session, archived)  # used by that thread alone
        self._thread = ThreadPoolExecutor(1, "ahead")

    def load(
        self, account_ids: Sequence[str], fingerprint: str, saving: Sequence[ResponseFuture]
    ) -> Callable[[], Mapping[str, Loaded]]:
        """Begin; what is returned waits for the end. `saving` are snapshots it has to see."""
        return self._thread.submit(self._read, account_ids, fingerprint, saving).result

    def close(self) -> None:
        """Begin nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _read(
        self, account_ids: Sequence[str], fingerprint: str, saving: Sequence[ResponseFuture]
    ) -> Mapping[str, Loaded]:
        found = self._accounts.read(account_ids, fingerprint, saving)
        return {a: loaded for a, loaded in found.items() if not has_gap(loaded)}
