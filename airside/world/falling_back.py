"""A memory view store that can fall back to an older state, as a failover does."""

import copy
from collections.abc import Callable

from airside.adapters.memory_view_store import MemoryViewStore


class FallingBackViewStore(MemoryViewStore):
    """Rows, checkpoints and registries go back together."""

    def backup(self) -> Callable[[], None]:
        """Remember the store as it is; calling the result brings all of it back: a failover."""
        shards, registries = copy.deepcopy((self._shards, self._registries))

        def restore() -> None:
            self._shards, self._registries = copy.deepcopy((shards, registries))

        return restore
