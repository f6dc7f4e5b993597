"""A slot on its way from one server of a cluster to another, step by step, as an operator does.

moving = MovingSlot(cluster, "airside:{downloads.3.0}:rows")
moving.begin()                      # asked for a key it has not, the old owner says ASK
moving.take("airside:{…}:rows")     # one key is at the new owner
moving.finish()                     # with the rest; the old owner says MOVED from now on
"""

from collections.abc import Sequence
from typing import Any

from redis.crc import key_slot

from stack.valkey import HOST, SLOTS, ValkeyCluster, ValkeyServer

MIGRATE_MS_MAX = 10_000


class MovingSlot:
    """Moves to the next server. Again, it goes on to the one after that."""

    def __init__(self, cluster: ValkeyCluster, key: str) -> None:
        self._cluster = cluster
        self.slot: int = key_slot(key.encode())
        self._home = self._owner = home(self.slot, len(cluster.servers))
        self._is_moving = False

    @property
    def source(self) -> ValkeyServer:
        """Who has the slot, or had it."""
        return self._cluster.servers[self._owner]

    @property
    def target(self) -> ValkeyServer:
        """Who gets it."""
        return self._cluster.servers[(self._owner + 1) % len(self._cluster.servers)]

    def move(self) -> None:
        """All of it."""
        self.begin()
        self.finish()

    def begin(self) -> None:
        """Both know of it; every key is still where it was."""
        self._is_moving = True
        with self.source.client() as source, self.target.client() as target:
            source_id = source.execute_command("CLUSTER MYID")
            target_id = target.execute_command("CLUSTER MYID")
            target.execute_command("CLUSTER SETSLOT", self.slot, "IMPORTING", source_id)
            source.execute_command("CLUSTER SETSLOT", self.slot, "MIGRATING", target_id)

    def take(self, *keys: str) -> None:
        """These keys go over."""
        with self.source.client() as source:
            self._take(source, keys)

    def finish(self) -> None:
        """What is left goes over, and everybody hears who has the slot now."""
        with self.source.client() as source, self.target.client() as target:
            keys = source.execute_command("CLUSTER GETKEYSINSLOT", self.slot, 1_000)
            self._take(source, keys)
            target_id = target.execute_command("CLUSTER MYID")
            target.execute_command("CLUSTER SETSLOT", self.slot, "NODE", target_id)
            source.execute_command("CLUSTER SETSLOT", self.slot, "NODE", target_id)
        self._owner = (self._owner + 1) % len(self._cluster.servers)
        self._is_moving = False

    def bring_home(self) -> None:
        """To where it belongs, moving or not."""
        if self._is_moving:
            self.finish()
        while self._owner != self._home:
            self.move()

    def _take(self, source: Any, keys: Sequence[str]) -> None:
        if keys:
            source.execute_command(
                "MIGRATE", HOST, self.target.port, "", 0, MIGRATE_MS_MAX, "KEYS", *keys
            )


def home(slot: int, size: int) -> int:
    """The number of the server that a slot is given to at first."""
    return max(n for n in range(size) if n * SLOTS // size <= slot)


def keys_per_server(cluster: ValkeyCluster) -> list[int]:
    """How many keys each has."""
    counts = []
    for server in cluster.servers:
        with server.client() as client:
            counts.append(client.dbsize())
    return counts


def redirections(cluster: ValkeyCluster, kind: str) -> int:
    """How often the servers have answered ASK, MOVED or TRYAGAIN."""
    count = 0
    for server in cluster.servers:
        with server.client() as client:
            errors = client.info("errorstats")
            count += errors.get(f"errorstat_{kind}", {"count": 0})["count"]
    return count
