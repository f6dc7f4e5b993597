"""The view store in Valkey or Redis, behind a URL: `redis://…`, `rediss://…` or `unix://…`.

    airside:{downloads.3.5}:rows         hash   key -> row, as JSON: HGET shows it
    airside:{downloads.3.5}:checkpoint   hash   seq, offset, at
    airside:{downloads.3.5}:parked       list   parked events, as JSON
    airside:registry:downloads           text   the registry, as JSON

What belongs to shard 5 of generation `downloads.3` shares one hash tag. A save is one script
call, which is atomic, also in the append-only file; rows are read in one MULTI with their
checkpoint. The server must never evict: `maxmemory-policy noeviction`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import redis

from airside.adapters.memory_view_store import registry_moved, save_refused
from airside.adapters.redis_script import Reply, Script, connect, where
from projectors.view_store import Checkpoint, Generation, ParkedEvent, Registry, Rows
from schemas.errors import Contradiction, Fenced, Moved, Unavailable

TIMEOUT_SECONDS = 5.0  # of one request
SCAN_COUNT = 1_000  # keys looked at in one request
PARTS = ("checkpoint", "rows", "parked")  # of a shard; they go together

_encode = msgspec.json.encode
_decode_registry = msgspec.json.Decoder(Registry).decode
_decode_parked = msgspec.json.Decoder(ParkedEvent).decode


class RedisViewStore:
    """Rows and checkpoints on a server; threads may share one."""

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Connect, and look whether the server may hold rows.

        Raises: Invalid, Unavailable; Contradiction where it would evict rows.
        """
        self._client = connect(url, timeout_seconds)
        self._where = where(self._client)
        self._save = Script("redis_view_store_save.lua")
        self._change = Script("redis_view_store_registry.lua")
        try:
            self._check_eviction()
        except BaseException:
            self.close()
            raise

    def registry(self, projection: str) -> Registry:
        """The projection's registry; revision 0 and empty where nothing was built yet."""
        with self._reading():
            found: Any = self._client.get(_registry_key(projection))
        return Registry() if found is None else _decode_registry(found)

    def change_registry(self, projection: str, expected: int, registry: Registry) -> None:
        """Replace the registry if its revision is `expected`; it becomes `expected + 1`.

        Raises: Moved; OutcomeUnknown where no answer came.
        """
        changed = msgspec.structs.replace(registry, revision=expected + 1)
        arguments = [expected, _encode(changed)]
        found = Reply(self._client, self._change, [_registry_key(projection)], arguments).wait()
        if found is not None:
            raise Moved(registry_moved(projection, expected, found))

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        """Rows and the checkpoint they belong to, read in one MULTI. Raises: Unavailable."""
        checkpoint_key, rows_key, _ = _shard_keys(generation, shard)
        with self._reading(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.hmget(checkpoint_key, "seq", "offset", "at")
            pipeline.hlen(rows_key)
            if keys:
                pipeline.hmget(rows_key, list(keys))
            checkpoint, count, *rows = pipeline.execute()
        return Rows(
            Checkpoint(*(int(number or 0) for number in checkpoint)),
            dict(zip(keys, rows[0], strict=True)) if keys else {},
            count,
        )

    def save(
        self,
        generation: Generation,
        shard: int,
        *,
        expected: Checkpoint,
        checkpoint: Checkpoint,
        rows: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent] = (),
    ) -> None:
        """All of it if the checkpoint is `expected`, else nothing.

        Raises: Fenced; OutcomeUnknown where no answer came; Unavailable where it was refused.
        """
        self.begin_save(
            generation,
            shard,
            expected=expected,
            checkpoint=checkpoint,
            rows=rows,
            parked=parked,
        ).wait()

    def begin_save(
        self,
        generation: Generation,
        shard: int,
        *,
        expected: Checkpoint,
        checkpoint: Checkpoint,
        rows: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent] = (),
    ) -> "PendingSave":
        """Send a save; `wait()` for its outcome before the shard's next save or read begins.

        Raises: OutcomeUnknown.
        """
        deleted = [key for key, row in rows.items() if row is None]
        arguments: list[Any] = [expected.seq, expected.offset]
        arguments += (checkpoint.seq, checkpoint.offset, checkpoint.at)
        arguments += (len(rows) - len(deleted), len(deleted))
        for item in rows.items():
            if item[1] is not None:
                arguments += item
        arguments += deleted
        arguments += map(_encode, parked)
        reply = Reply(self._client, self._save, _shard_keys(generation, shard), arguments)
        return PendingSave(generation, shard, expected, reply)

    def keys(self, generation: Generation, shard: int) -> Iterator[str]:
        """Every key that has a row now, each once."""
        _, rows_key, _ = _shard_keys(generation, shard)
        seen: set[bytes] = set()  # a scan repeats keys while the hash grows
        with self._reading():
            for key, _ in self._client.hscan_iter(rows_key, count=SCAN_COUNT):
                if key not in seen:
                    seen.add(key)
                    yield key.decode()

    def parked(self, generation: Generation, shard: int) -> list[ParkedEvent]:
        """Parked events by seq, then offset."""
        with self._reading():
            found: Any = self._client.lrange(_shard_keys(generation, shard)[2], 0, -1)
        return sorted(map(_decode_parked, found), key=lambda event: (event.seq, event.offset))

    def drop(self, generation: Generation) -> None:
        """Delete every row, checkpoint and parked event of a generation, in the background."""
        with self._reading():
            found = self._client.scan_iter(f"airside:{{{generation.name}.*}}:*", SCAN_COUNT)
            for tag in {key.rpartition(b":")[0].decode() for key in found}:
                self._client.unlink(*(f"{tag}:{part}" for part in PARTS))

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
        self._client.connection_pool.disconnect()

    def _check_eviction(self) -> None:
        with self._reading():
            memory: Any = self._client.info("memory")
        policy = memory.get("maxmemory_policy", "noeviction")
        if memory.get("maxmemory", 0) and policy != "noeviction":
            raise Contradiction(
                f"{self._where}: maxmemory-policy is {policy}, so rows would vanish when "
                "memory is short. Set it there: CONFIG SET maxmemory-policy noeviction"
            )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise Unavailable(f"{self._where}: {error}. Is the server up?") from error


class PendingSave:
    """A save that was sent. Wait for it exactly once."""

    def __init__(
        self, generation: Generation, shard: int, expected: Checkpoint, reply: "Reply"
    ) -> None:
        self._generation, self._shard = generation, shard
        self._expected = expected
        self._reply = reply

    def wait(self) -> None:
        """Return when the save is done. Raises: Fenced, OutcomeUnknown, Unavailable."""
        found = self._reply.wait()
        if found is not None:
            seq, offset = map(int, found)
            raise Fenced(
                save_refused(self._generation, self._shard, self._expected, seq, offset)
            )


def _shard_keys(generation: Generation, shard: int) -> tuple[str, str, str]:
    tag = f"airside:{{{generation.name}.{shard}}}"
    return f"{tag}:checkpoint", f"{tag}:rows", f"{tag}:parked"


def _registry_key(projection: str) -> str:
    return f"airside:registry:{projection}"
