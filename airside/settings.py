"""Settings: the few things that a deployment chooses, each with its environment variable."""

from dataclasses import dataclass
from pathlib import Path

SHARDS_DEFAULT = 8
SHARDS_MAX = 1_024


@dataclass(frozen=True, slots=True)
class Settings:
    """Where data lives and which engines serve it."""

    data: Path = Path(".airside")  # AIRSIDE_DATA
    views: str | None = None  # AIRSIDE_VIEWS; None: a private Valkey server inside `data`
    shards: int | None = None  # AIRSIDE_SHARDS; None: what the data directory has, or 8

    @property
    def database(self) -> Path:
        """The SQLite file that holds events and log."""
        return self.data / "airside.sqlite"
