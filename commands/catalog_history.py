"""Every catalog there was, rebuilt from the records of its topic; on demand with other entries.

A catalog's version is the offset behind the last record that it holds, and every event says
which one decided. The topic is compacted: of each key the last record stays. So an old catalog
can be told only as long as no record is missing below its version, or none lies above it.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from commands.catalog import Catalog
from commands.catalog_entries import Entry
from commands.catalog_follower import HISTORY_KEY
from commands.catalog_reading import read_change
from schemas.errors import Invalid, NotFound
from schemas.record import Record

CATALOGS_MAX = 32  # in memory; each holds a few references for every entry


class CatalogHistory:
    """What a follower of the catalog's topic had at each version."""

    def __init__(
        self, records: Iterable[Record], instead: Mapping[str, Entry | None] | None = None
    ) -> None:
        """`instead`: entries by key that hold in every version, whatever the records say."""
        self._instead = instead or {}
        self._changes: list[tuple[int, str, Entry | None]] = []  # by offset
        self._made: OrderedDict[int, Catalog] = OrderedDict()
        self._begins_missing: int | None = None  # the first offset without a record
        self._end = 0
        for offset, _, key, value in records:
            if offset != self._end and self._begins_missing is None:
                self._begins_missing = self._end
            self._end = offset + 1
            self._read(offset, key or b"", value)

    @property
    def version(self) -> int:
        """Of the newest catalog."""
        return self._end

    def at(self, version: int) -> Catalog:
        """The catalog of that version. Raises: NotFound where it cannot be told any more."""
        if version not in self._made:
            self._made[version] = self._make(version)
            if len(self._made) > CATALOGS_MAX:
                self._made.popitem(last=False)
        self._made.move_to_end(version)
        return self._made[version]

    def _make(self, version: int) -> Catalog:
        missing = self._begins_missing
        if version > self._end:
            raise NotFound(
                f"catalog version {version}: the topic ends at {self._end}. Name the log that "
                "belongs to this event store."
            )
        if missing is not None and missing < version < self._end:
            raise NotFound(
                f"catalog version {version}: the topic was compacted, from offset {missing} on "
                "it lacks records, so what held then is not known any more."
            )
        held = {key: entry for offset, key, entry in self._changes if offset < version}
        return Catalog.empty().with_changes({**held, **self._instead}, version)

    def _read(self, offset: int, key: bytes, value: bytes | None) -> None:
        """What a follower skips is skipped: what was said before still holds."""
        try:
            name = key.decode()
            if name != HISTORY_KEY:
                self._changes.append((offset, name, read_change(name, value)))
        except (UnicodeDecodeError, Invalid):
            return
