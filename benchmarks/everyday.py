"""The everyday loop: what most people write first, and what many a service runs with.

It counts per account: no checkpoint, no repeats told apart, nothing that could be rebuilt.
"""

from collections.abc import Collection, Sequence
from io import BytesIO
from typing import Any

import fastavro
import redis

from schemas.record import Record
from schemas.registry import BODY_AT, load_schemas


class FastavroReader:
    """Every event whole, as fastavro's manual shows it."""

    def __init__(self) -> None:
        self._schemas = {
            schema.prefix: (schema.name, fastavro.parse_schema(schema.avro))
            for schema in load_schemas()
        }

    def read(self, value: bytes | None) -> tuple[str, Any]:
        """The event's type and its fields."""
        assert value is not None
        name, schema = self._schemas[value[:BODY_AT]]
        return name, fastavro.schemaless_reader(BytesIO(value[BODY_AT:]), schema, None)

    def read_each(self, records: Sequence[Record]) -> None:
        """One batch, for nothing."""
        read = self.read
        for _, _, _, value in records:
            read(value)


class EverydayLoop:
    """fastavro decodes each event; redis-py sends two commands for it, a pipeline a batch."""

    def __init__(self, client: redis.Redis, prefix: str, names: Collection[str] | None) -> None:
        """`names`: the types of the events that commands are sent for; None: all."""
        self._client = client
        self._prefix = prefix
        self._names = names
        self._read = FastavroReader().read

    def project(self, records: Sequence[Record]) -> None:
        """One batch."""
        read, prefix, names = self._read, self._prefix, self._names
        pipeline = self._client.pipeline(transaction=False)
        for _, _, _, value in records:
            name, event = read(value)
            if names is None or name in names:
                key = f"{prefix}:{event['account_id']}"
                pipeline.hincrby(key, name, 1)
                pipeline.hset(key, "version", event["version"])
        pipeline.execute()
