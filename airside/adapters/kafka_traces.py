"""The `traceparent` header of Kafka's records: written where there is one, read if wanted."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, cast

from confluent_kafka import KafkaError, Message, Producer

from airside.log import TRACEPARENT

Headers = list[tuple[str, str | bytes | None]]


def headers_of(trace: str) -> Headers:
    """The headers of a record that carries a trace."""
    return [(TRACEPARENT, trace.encode())]


def traces_of(messages: Iterable[Message]) -> dict[int, str]:
    """What records carry, by offset. Whatever is no text of its size counts as nothing."""
    found: dict[int, str] = {}
    for message in messages:
        headers = cast("Headers", message.headers() or ())
        for name, value in headers:
            if name == TRACEPARENT and isinstance(value, bytes) and value.isascii():
                found[message.offset() or 0] = value.decode()
    return found


def produce_traced(
    producer: Producer,
    topic: str,
    batch: list[dict[str, Any]],
    partition: int,
    traces: Mapping[int, str],
) -> int:
    """As `Producer.produce_batch`, which knows no headers, in the same order.

    `traces` are by the record's place in the batch. Raises: KafkaException, and then some of
    the first may have been taken.
    """
    taken = 0
    for is_traced, run in groupby(range(len(batch)), traces.__contains__):
        places = list(run)
        some = batch[places[0] : places[-1] + 1]
        if not is_traced:
            went = producer.produce_batch(topic, some, partition)
            taken += went
            if went < len(some):
                return taken
            continue
        for place in places:
            one, headers = batch[place], headers_of(traces[place])
            try:
                producer.produce(topic, one["value"], one["key"], partition, headers=headers)
            except BufferError:
                one["_error"] = KafkaError(KafkaError._QUEUE_FULL)  # as in a batch
                return taken
            taken += 1
    return taken
