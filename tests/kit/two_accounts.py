"""Two accounts that live in different shards of four."""

from schemas.record import shard_of

SHARD = shard_of("a1", 4)
OTHER = next(name for name in ("b", "c", "d", "e", "f") if shard_of(name, 4) != SHARD)
