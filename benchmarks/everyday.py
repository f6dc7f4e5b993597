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


class EverydayLoop:
    """fastavro decodes each event; redis-py sends two commands for it, a pipeline a batch."""

    def __init__(self, client: redis.Redis, prefix: str, names: Collection[str] | None) -> None:
        """`names`: the types of the events that commands are sent for; None: all."""
        self._client = client
        self._prefix = prefix
        self._names = names
        self._schemas = {
            schema.prefix: (schema.name, fastavro.parse_schema(schema.avro))
            for schema in load_schemas()
        }

    def project(self, records: Sequence[Record]) -> None:
        """One batch."""
        schemas, prefix, names = self._schemas, self._prefix, self._names
        pipeline = self._client.pipeline(transaction=False)
        for _, _, _, value in records:
            assert value is not None
            name, schema = schemas[value[:BODY_AT]]
            event: Any = fastavro.schemaless_reader(BytesIO(value[BODY_AT:]), schema, None)
            if names is None or name in names:
                key = f"{prefix}:{event['account_id']}"
                pipeline.hincrby(key, name, 1)
                pipeline.hset(key, "version", event["version"])
        pipeline.execute()
