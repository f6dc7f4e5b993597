"""The view store in Valkey or Redis: one server, a master with replicas, or a cluster.

    airside:{downloads.3.5}:rows         hash   key -> row, as JSON: HGET shows it
    airside:{downloads.3.5}:checkpoint   hash   seq, offset, at, digest; created_at (generation)
    airside:{downloads.3.5}:parked       list   parked events, as JSON
    airside:registry:downloads           text   the registry, as JSON

What belongs to shard 5 of generation `downloads.3` shares one hash tag. A save is one script
call, which is atomic, also in the append-only file; rows are read in one MULTI with their
checkpoint. In a cluster both go to the server that owns the shard's slot. A server must never
evict: `maxmemory-policy noeviction`.

The server that has a registry may forget it when those that have the rows do not. Then a name
comes again, and what the older generation left under it does not count.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airside.adapters.memory_view_store import registry_moved, save_refused
from airside.adapters.redis_facts import ServerFacts, facts
from airside.adapters.redis_reading import Request, read_each
from airside.adapters.redis_script import Command, Reply, Script, read, scan
from airside.adapters.redis_servers import FAILURES, Servers
from airside.serving.looks import Looked
from projectors.view_store import Checkpoint, Generation, ParkedEvent, Registry, Rows
from queries.finding import RowsOf
from schemas.errors import AirsideError, Fenced, Moved

TIMEOUT_SECONDS = 5.0  # of one request
SCAN_COUNT = 1_000  # keys looked at in one request
REGISTRIES_MAX = 64  # kept decoded
PARTS = ("checkpoint", "rows", "parked")  # of a shard; they go together

_encode = msgspec.json.encode
_decode_registry = msgspec.json.Decoder(Registry).decode
_decode_parked = msgspec.json.Decoder(ParkedEvent).decode


class RedisViewStore:
    """Rows and checkpoints on the servers of a URL (redis_servers.py); threads may share one.

    A failover may lose the last saves: rows and checkpoint go back together.
    """

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Connect to every master, and look whether it may hold rows.

        Raises: Invalid, Unavailable; Contradiction where one would evict rows, now or at a
        later connection.
        """
        self._servers = Servers(url, timeout_seconds)
        self._save = Script("redis_view_store_save.lua")
        self._change = Script("redis_view_store_registry.lua")
        self._looked_at: dict[bytes, Registry] = {}  # the last, by its JSON
        try:
            self._servers.check()
        except BaseException:
            self.close()
            raise

    def facts(self) -> list[ServerFacts]:
        """What every master says about itself. Raises: Unavailable."""
        try:
            return [facts(master) for master in self._servers.masters()]
        except FAILURES as error:
            self._servers.unavailable(error)

    def registry(self, projection: str) -> Registry:
        """The projection's registry; revision 0 and empty where nothing was built yet."""
        key = _registry_key(projection)
        found = read(self._servers, key, ("GET", key))
        return Registry() if found is None else _decode_registry(found)

    def change_registry(self, projection: str, expected: int, registry: Registry) -> None:
        """Replace the registry if its revision is `expected`; it becomes `expected + 1`.

        Raises: Moved; OutcomeUnknown where no answer came.
        """
        changed = msgspec.structs.replace(registry, revision=expected + 1)
        arguments = [expected, _encode(changed)]
        found = Reply(
            self._servers, self._change, [_registry_key(projection)], arguments
        ).wait()
        if found is not None:
            raise Moved(registry_moved(projection, expected, found))

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        """Rows and the checkpoint they belong to, read in one MULTI. Raises: Unavailable."""
        key, commands = _rows_request(generation, shard, keys)
        return _rows(generation, keys, read(self._servers, key, *commands))

    def look(self, asked: Sequence[RowsOf], projections: Sequence[str]) -> Looked:
        """Rows of many shards, and then registries, in one round trip to each server."""
        requests: list[Request] = [
            _rows_request(one.generation, one.shard, one.keys) for one in asked
        ]
        registries = [_registry_key(projection) for projection in projections]
        requests += ((key, [("GET", key)]) for key in registries)
        answers = read_each(self._servers, requests)
        return Looked(
            [
                answer
                if isinstance(answer, AirsideError)
                else _rows(one.generation, one.keys, answer)
                for one, answer in zip(asked, answers, strict=False)
            ],
            {
                projection: self._registry_seen(answer)
                for projection, answer in zip(projections, answers[len(asked) :], strict=True)
            },
        )

    def lane(self, generation: Generation, shard: int) -> str:
        """The server that a shard's rows were on last; empty where that is not known."""
        if not self._servers.is_cluster:
            return ""
        try:
            return self._servers.last_owner(_shard_keys(generation, shard)[0])
        except FAILURES:
            return ""

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
        names = _shard_keys(generation, shard)
        is_named = (True, bool(rows), bool(parked))
        if expected.seq or expected.offset:
            names = tuple(name for name, named in zip(names, is_named, strict=True) if named)
        deleted = [key for key, row in rows.items() if row is None]
        arguments: list[Any] = [expected.seq, expected.offset]
        arguments += (checkpoint.seq, checkpoint.offset, checkpoint.at)
        arguments += (_digest_text(checkpoint), generation.created_at)
        arguments += (len(rows) - len(deleted), len(deleted))
        for item in rows.items():
            if item[1] is not None:
                arguments += item
        arguments += deleted
        arguments += map(_encode, parked)
        reply = Reply(self._servers, self._save, names, arguments)
        return PendingSave(generation, shard, expected, reply)

    def keys(self, generation: Generation, shard: int) -> Iterator[str]:
        """Every key that has a row now, each once. Raises: Unavailable, also in between."""
        _, rows_key, _ = _shard_keys(generation, shard)
        seen: set[bytes] = set()  # a scan repeats keys while the hash grows
        for page in scan(self._servers, rows_key, SCAN_COUNT):
            for key in page[::2]:
                if key not in seen:
                    seen.add(key)
                    yield key.decode()

    def parked(self, generation: Generation, shard: int) -> list[ParkedEvent]:
        """Parked events by seq, then offset."""
        checkpoint_key, _, parked_key = _shard_keys(generation, shard)
        created_at = read(self._servers, checkpoint_key, ("HGET", checkpoint_key, "created_at"))
        if _is_namesake(generation, created_at):
            return []
        found = read(self._servers, parked_key, ("LRANGE", parked_key, 0, -1))
        return sorted(map(_decode_parked, found), key=lambda event: (event.seq, event.offset))

    def drop(self, generation: Generation) -> None:
        """Delete every row, checkpoint and parked event of a generation, in the background."""
        client = self._servers.client
        try:
            found = client.scan_iter(f"airside:{{{generation.key}.*}}:*", SCAN_COUNT)
            for tag in {key.rpartition(b":")[0].decode() for key in found}:
                client.unlink(*(f"{tag}:{part}" for part in PARTS))
        except FAILURES as error:
            self._servers.unavailable(error)

    def close(self) -> None:
        """Close every connection."""
        self._servers.close()

    def _registry_seen(self, answer: Any) -> Registry | AirsideError:
        """The same object for the same bytes: they are looked at with every read."""
        if isinstance(answer, AirsideError):
            return answer
        if answer is None:
            return Registry()
        found = self._looked_at.get(answer)
        if found is None:
            found = _decode_registry(answer)
            if len(self._looked_at) >= REGISTRIES_MAX:
                self._looked_at.clear()
            self._looked_at[answer] = found
        return found


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


def _rows_request(generation: Generation, shard: int, keys: Sequence[str]) -> Request:
    """One MULTI of a shard's checkpoint and rows."""
    checkpoint_key, rows_key, _ = _shard_keys(generation, shard)
    commands: list[Command] = [
        ("MULTI",),
        ("HMGET", checkpoint_key, "seq", "offset", "at", "digest", "created_at"),
        ("HLEN", rows_key),
        ("EXEC",),
    ]
    if keys:
        commands.insert(3, ("HMGET", rows_key, *keys))
    return checkpoint_key, commands


def _rows(generation: Generation, keys: Sequence[str], answer: Any) -> Rows:
    (*place, created_at), count, *rows = answer
    if _is_namesake(generation, created_at):
        return Rows(Checkpoint(), dict.fromkeys(keys), 0)
    found = dict(zip(keys, rows[0], strict=True)) if keys else {}
    return Rows(_checkpoint(*place), found, count)


def _checkpoint(
    seq: bytes | None, offset: bytes | None, at: bytes | None, digest: bytes | None
) -> Checkpoint:
    if seq is None:
        return Checkpoint()
    known = int(digest, 16) if digest else None
    return Checkpoint(int(seq), int(offset or 0), int(at or 0), known)


def _digest_text(checkpoint: Checkpoint) -> str:
    """32 hex digits; empty where it is not known."""
    return "" if checkpoint.digest is None else f"{checkpoint.digest:032x}"


def _is_namesake(generation: Generation, created_at: bytes | None) -> bool:
    """Whether these rows are of another generation that had the same name."""
    return created_at is not None and int(created_at) != generation.created_at


def _shard_keys(generation: Generation, shard: int) -> tuple[str, ...]:
    tag = f"airside:{{{generation.key}.{shard}}}"
    return f"{tag}:checkpoint", f"{tag}:rows", f"{tag}:parked"


def _registry_key(projection: str) -> str:
    return f"airside:registry:{projection}"
