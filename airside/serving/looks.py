"""The port of the query service: a view store that answers many reads in one round trip."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from projectors.view_store import Generation, Registry, Rows
from queries.finding import RowsOf
from schemas.errors import AirsideError


class Looked(NamedTuple):
    """What a look found, each part for itself."""

    rows: list[Rows | AirsideError]
    registries: dict[str, Registry | AirsideError]


class Looks(Protocol):
    """Threads may share it."""

    def look(self, asked: Sequence[RowsOf], projections: Sequence[str]) -> Looked:
        """Rows of each shard with their checkpoint, one atomic step each; then registries."""

    def lane(self, generation: Generation, shard: int) -> str:
        """Which server has the shard, as far as is known without asking; empty: not known."""
