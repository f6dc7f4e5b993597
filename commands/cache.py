"""Streams kept in memory: bounded, the least recently decided on go first.

A stream may leave only when the store's index has every commit that contains its account
(PROTOCOL W4): loaded from an index that lacks its last event, a command would be decided twice.
The index fills in order of commits, so the number of the account's last commit says it all.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Generic, TypeVar

from commands.stream import Stream

STREAMS_MAX = 4_000  # per shard; 16 MB of command ids, should all accounts have a full ring

S = TypeVar("S")


class StreamCache(Generic[S]):
    """account_id -> stream, as of the last applied commit."""

    def __init__(self, streams_max: int = STREAMS_MAX) -> None:
        self._streams_max = streams_max
        self._streams: dict[str, Stream[S]] = {}  # least recently installed first
        self._last_commit: dict[str, int] = {}  # of the accounts that are pinned

    def __len__(self) -> int:
        return len(self._streams)

    def __contains__(self, account_id: str) -> bool:
        return account_id in self._streams

    def get(self, account_id: str) -> Stream[S] | None:
        """The stream, if it is here."""
        return self._streams.get(account_id)

    def install(self, changed: Mapping[str, Stream[S]], *, number: int) -> None:
        """The streams as applied commit `number` leaves them; pinned until it is indexed."""
        for account_id, stream in changed.items():
            self._streams.pop(account_id, None)
            self._streams[account_id] = stream
            self._last_commit[account_id] = number

    def keep(self, used: Iterable[Stream[S]]) -> None:
        """Streams that were looked at and not changed, loaded since the last commit or here.

        One that is here is newer than any load and stays.
        """
        for stream in used:
            kept = self._streams.pop(stream.account_id, stream)
            self._streams[stream.account_id] = kept

    def evict(self, *, indexed: int) -> None:
        """Let the oldest go until the bound is kept; what is not indexed yet stays."""
        for account_id in [a for a, n in self._last_commit.items() if n <= indexed]:
            del self._last_commit[account_id]
        surplus = len(self._streams) - self._streams_max
        if surplus > 0:
            unpinned = (a for a in self._streams if a not in self._last_commit)
            for account_id in list(islice(unpinned, surplus)):
                del self._streams[account_id]
