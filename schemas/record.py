"""A record of a topic, and which partition its key belongs to.

`Record` is a plain tuple, since millions of them pass through the workers.
"""

from functools import lru_cache

Record = tuple[int, int, bytes | None, bytes | None]
"""(offset, append time in ms, key, value) of one record of one partition."""

RECORD_BYTES_MAX = 1_048_576  # Kafka's own default of message.max.bytes, 1 MiB

COMMANDS_TOPIC = "commands"
EVENTS_TOPIC = "events"
CATALOG_TOPIC = "catalog"


def murmur2(data: bytes) -> int:
    """The 32-bit hash that Kafka's Java client partitions by (`Utils.murmur2`), unsigned."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    length = len(data)
    h = (0x9747B28C ^ length) & mask
    whole = length - length % 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = (h * m & mask) ^ k
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)


@lru_cache(maxsize=32_768)
def shard_of(account_id: str, shards: int) -> int:
    """The shard that an account lives in: what every Kafka client with murmur2 agrees on."""
    return (murmur2(account_id.encode()) & 0x7FFFFFFF) % shards
