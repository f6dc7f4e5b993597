"""Follows the catalog's topic: reads it to its end at the start, and then what arrives.

The topic has one partition and is compacted: of each key (`title/t1`) the last record stays.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from commands.catalog import Catalog
from commands.catalog_entries import Entry
from commands.catalog_reading import read_change
from schemas.errors import Invalid, Unavailable
from schemas.record import Record

POLL_RECORDS_MAX = 10_000
POLL_SECONDS = 0.5
POLLS_MAX = 100  # of one call that follows; the next call reads on
EMPTY_POLLS_MAX = 20  # before the start gives up on records that should be there
REJECTED_KEPT_MAX = 100
HISTORY_KEY = "airside/history"  # no entry: which event store the log belongs to

log = logging.getLogger("airside.catalog")


class CatalogSource(Protocol):
    """The one partition of the catalog's topic; a `CommandSource` that knows its end."""

    def seek(self, offset: int) -> None:
        """The next poll begins at this offset, or at the first record after it."""

    def poll(self, count_max: int, wait_seconds: float) -> Sequence[Record]:
        """What has arrived, at most `count_max` records; waits only while there is none.

        Raises: Unavailable.
        """

    def end(self) -> int:
        """Behind the last record, for a source that has read everything; it may be later."""


class CatalogFollower:
    """The newest catalog, and what could not be read of it."""

    def __init__(self, source: CatalogSource) -> None:
        self._source = source
        self._catalog = Catalog.empty()
        self._read_to = 0  # the next offset
        self._began = False
        self._changes: dict[str, Entry | None] = {}  # read and not yet in the catalog
        self._rejected: dict[str, tuple[int, str]] = {}  # by key
        self.history = ""  # the id of the event store that the log says it belongs to
        source.seek(0)

    @property
    def rejected(self) -> Sequence[tuple[int, str]]:
        """(offset, reason) of entries that were skipped; what was said before still holds."""
        return tuple(self._rejected.values())

    def catch_up(self) -> Catalog:
        """The catalog as of now: the first time to the topic's end, then with what has arrived.

        The same object while nothing changes. Its version is the last record's offset + 1.

        Raises: Unavailable; what was read by then is kept for the next call.
        """
        if not self._began:
            self._read_to_end()
            self._began = True
        for _ in range(POLLS_MAX):
            if not self._poll(0.0):
                break
        if self._read_to != self._catalog.version:
            self._catalog = self._catalog.with_changes(self._changes, self._read_to)
            self._changes = {}
        return self._catalog

    def _read_to_end(self) -> None:
        empty_polls = 0
        # Asked again each time: a source that has read everything knows that behind the last
        # record there are only a transaction's marks.
        while self._read_to < (end := self._source.end()):
            empty_polls = 0 if self._poll(POLL_SECONDS) else empty_polls + 1
            if empty_polls >= EMPTY_POLLS_MAX:
                where = f"read to offset {self._read_to} of {end}"
                raise Unavailable(f"catalog: {where}, and nothing more arrives. Try again.")

    def _poll(self, wait_seconds: float) -> bool:
        """Whether something had arrived; it is read now."""
        records = self._source.poll(POLL_RECORDS_MAX, wait_seconds)
        for offset, _, key, value in records:
            if offset >= self._read_to:
                self._read(offset, key, value)
                self._read_to = offset + 1
        return bool(records)

    def _read(self, offset: int, key: bytes | None, value: bytes | None) -> None:
        name = (key or b"").decode(errors="backslashreplace")
        try:
            if (key or b"") != name.encode():
                raise Invalid("the key is not UTF-8. Use keys as 'title/t1'.")
            if name == HISTORY_KEY:
                self.history = (value or b"").decode(errors="replace")
                return
            self._changes[name] = read_change(name, value)
            self._rejected.pop(name, None)
        except Invalid as error:
            log.error("catalog entry skipped offset=%d key=%s because %s", offset, name, error)
            self._rejected[name] = (offset, str(error))
            if len(self._rejected) > REJECTED_KEPT_MAX:
                del self._rejected[next(iter(self._rejected))]
