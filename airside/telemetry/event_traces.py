"""The traces of events: from their records to the save of the rows that hold them."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.trace import SpanKind, Tracer

from airside.telemetry.context import Context, context_of
from projectors.view_store import Generation
from schemas.record import EVENTS_TOPIC, Record

POLLED_MAX = 10_000  # not saved yet; of more than these the last ones count
TRACED_MS_MAX = 3_600_000  # an event that is older is of nobody's request any more: a replay


class EventTraces:
    """Of one shard of one generation, for one thread. `clock` tells ms.

    Each event that carries a trace gets the span `save PROJECTION` in it: from when it was
    polled until the save was heard of that brought the shard beyond it.
    """

    def __init__(
        self, tracer: Tracer, generation: Generation, shard: int, clock: Callable[[], int]
    ) -> None:
        self._tracer, self._clock = tracer, clock
        self._name = f"save {generation.projection}"
        self._where: dict[str, str | int] = {
            "airside.generation": generation.number,
            "messaging.destination.name": EVENTS_TOPIC,
            "messaging.destination.partition.id": str(shard),
            "messaging.operation.type": "process",
        }
        self._polled: deque[tuple[int, int, Context]] = deque(maxlen=POLLED_MAX)

    def polled(self, records: Sequence[Record], traces: Mapping[int, str]) -> None:
        """Some of these carry a trace."""
        now, oldest = time.time_ns(), self._clock() - TRACED_MS_MAX
        for offset, at, _, _ in records:
            context = context_of(traces.get(offset)) if at >= oldest else None
            if context is not None:
                self._polled.append((offset, now, context))

    def saved(self, next_offset: int) -> None:
        """What lies before this offset is in the rows."""
        while self._polled and self._polled[0][0] < next_offset:
            offset, since, context = self._polled.popleft()
            span = self._tracer.start_span(
                self._name,
                context=context,
                kind=SpanKind.CONSUMER,
                attributes={**self._where, "messaging.kafka.offset": offset},
                start_time=since,
            )
            span.end()

    def dropped(self) -> None:
        """The worker begins anew at its checkpoint."""
        self._polled.clear()
