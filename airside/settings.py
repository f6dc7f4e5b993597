"""Settings: the few things that a deployment chooses, each with its environment variable."""

from dataclasses import dataclass
from pathlib import Path

from schemas.errors import Invalid

SHARDS_DEFAULT = 8
SHARDS_MAX = 1_024


@dataclass(frozen=True, slots=True)
class Settings:
    """Where data lives and which engines serve it. An engine without an address is embedded."""

    data: Path = Path(".airside")  # AIRSIDE_DATA; of the embedded engines
    events: str | None = None  # AIRSIDE_EVENTS, cassandra://…; None: a SQLite file in `data`
    log: str | None = None  # AIRSIDE_LOG, kafka://…; None: the same SQLite file
    views: str | None = None  # AIRSIDE_VIEWS, redis://…; None: a private Valkey in `data`
    archive: Path | None = None  # AIRSIDE_ARCHIVE; of old events; None: nothing is archived
    shards: int | None = None  # AIRSIDE_SHARDS; None: what is laid out already, or 8

    @property
    def database(self) -> Path:
        """The SQLite file of the embedded event store and log."""
        return self.data / "airside.sqlite"

    def environment(self) -> dict[str, str]:
        """The same choice, as the environment variables of a process."""
        chosen = {
            "AIRSIDE_DATA": self.data,
            "AIRSIDE_EVENTS": self.events,
            "AIRSIDE_LOG": self.log,
            "AIRSIDE_VIEWS": self.views,
            "AIRSIDE_ARCHIVE": self.archive,
            "AIRSIDE_SHARDS": self.shards,
        }
        return {name: str(value) for name, value in chosen.items() if value is not None}

    @property
    def is_self_contained(self) -> bool:
        """Events and log are embedded: the data directory lays itself out."""
        return self.events is None and self.log is None

    def check(self) -> None:
        """Raises: Invalid where only a part of the engines is named.

        Read models alone may be elsewhere; but commands on a topic that nobody reads, or
        answers from rows of nothing, are never meant.
        """
        chosen = {
            "AIRSIDE_EVENTS": self.events,
            "AIRSIDE_LOG": self.log,
            "AIRSIDE_VIEWS": self.views,
        }
        missing = [name for name, url in chosen.items() if url is None]
        if missing and not self.is_self_contained:
            raise Invalid(
                f"{' and '.join(missing)} not set, but "
                f"{' and '.join(name for name in chosen if name not in missing)}. Real engines "
                "go together: set all three, or none of them."
            )

    @property
    def needs_directory(self) -> bool:
        """Some engine is embedded."""
        return None in (self.events, self.log, self.views)
