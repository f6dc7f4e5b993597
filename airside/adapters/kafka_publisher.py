"""A publisher with a producer of its own: closing it stops exactly what was handed to it.

The producer is idempotent and gapless, with one request on the wire at a time: the broker takes
its records in their order, and after a refused one nothing later is sent. No record times out
in the producer, since that would let later ones pass; instead the publisher fails as a whole
when nothing was acknowledged for STALL_SECONDS.

Acknowledgements are counted without a call for each: a producer's length is the number of its
records that are not acknowledged or failed yet (plus reports that wait to be served, so that
the count errs on the safe side). No request is sent before the one ahead of it is acknowledged,
which makes the count a prefix.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message

from airside.adapters.kafka_producer import open_producer, stop_producer
from airside.adapters.kafka_settings import QUEUE_RECORDS_MAX, KafkaCluster
from airside.adapters.kafka_traces import produce_traced
from airside.adapters.kafka_trouble import Trouble
from airside.log import Traces, check_sizes
from schemas.errors import PublishFailed, TooLarge

STALL_SECONDS = 30.0  # without any acknowledgement, before the rest is given up


class KafkaPublisher:
    """A writer to one partition, for one owner; `close` may come from another thread."""

    def __init__(
        self, cluster: KafkaCluster, trouble: Trouble, topic: str, partition: int
    ) -> None:
        self._trouble = trouble
        self._topic, self._name, self._partition = topic, cluster.named(topic), partition
        self._lock = threading.Lock()
        self._waiting: deque[tuple[bytes, bytes]] = deque()  # the producer's queue was full
        self._traces: dict[int, str] = {}  # of those, by their number among all of ours
        self._handed = 0  # to the producer
        self._failed = 0  # of those
        self._acknowledged = 0
        self._moved_at = time.monotonic()  # when the last acknowledgement came
        self._failure: str | None = None
        self._is_open = True
        with trouble.translated(f"open a producer for {topic}"):
            self._producer = open_producer(
                {
                    **cluster.producer(),
                    **trouble.callbacks(),
                    "error_cb": self._hear,
                    "on_delivery": self._report,
                },
                self._name,
            )

    def send(
        self, records: Sequence[tuple[bytes, bytes]], traces: Traces | None = None
    ) -> None:
        """Hand them to the producer, unless one failed before or this is closed."""
        with self._lock:
            if self._failure is not None:
                return
            try:
                check_sizes(self._topic, records)
            except TooLarge as error:
                self._fail(str(error))
                return
            if not len(self._producer) and not self._waiting:
                self._moved_at = time.monotonic()
            for n, trace in (traces or {}).items():
                self._traces[self._handed + len(self._waiting) + n] = trace
            self._waiting.extend(records)
            self._hand_over()

    def acknowledged(self) -> int:
        """How many are surely on the topic: a prefix. Raises: PublishFailed."""
        with self._lock:
            if self._is_open:
                self._serve()
                self._hand_over()
                self._count()
            if self._failure is not None:
                self._stop()
                raise PublishFailed(
                    f"{self._failure} Acknowledged before: {self._acknowledged} records. "
                    "Open another publisher and send the rest again, in order."
                )
            return self._acknowledged

    def close(self) -> None:
        """Drop what is not on the wire, and the connection; some milliseconds."""
        with self._lock:
            self._fail("this publisher is closed.")

    def _serve(self) -> None:
        """Let reports come in."""
        try:
            self._producer.poll(0)
        except KafkaException as error:  # a fatal one is told so, too
            self._failure = self._failure or self._why(error.args[0])

    def _hand_over(self) -> None:
        """What the producer's queue has room for. Never waits."""
        while self._waiting and self._failure is None:
            room = QUEUE_RECORDS_MAX - len(self._producer)
            batch = [{"key": k, "value": v} for k, v in islice(self._waiting, max(0, room))]
            if not batch:
                return
            try:
                taken = self._produce(batch)
            except KafkaException as error:
                self._fail(self._why(error.args[0]))
                return
            self._handed += taken
            if taken < len(batch):  # which ones, is not for sure a prefix: all of it again
                refused: Iterator[Any] = (one["_error"] for one in batch if "_error" in one)
                self._fail(self._why(next(refused)))
                return
            for _ in batch:
                self._waiting.popleft()

    def _produce(self, batch: list[dict[str, Any]]) -> int:
        if not self._traces:
            return self._producer.produce_batch(self._name, batch, self._partition)
        places = [n for n in range(len(batch)) if self._handed + n in self._traces]
        traces = {n: self._traces.pop(self._handed + n) for n in places}
        return produce_traced(self._producer, self._name, batch, self._partition, traces)

    def _count(self) -> None:
        acknowledged = self._handed - self._failed - len(self._producer)
        now = time.monotonic()
        if acknowledged > self._acknowledged:
            self._acknowledged, self._moved_at = acknowledged, now
        is_waiting = acknowledged < self._handed
        if self._failure is None and is_waiting and now - self._moved_at > STALL_SECONDS:
            known = self._trouble.recent()
            why = f" ({known.str()})" if known else ""
            self._fail(
                f"{self._trouble.brokers}, topic {self._topic}: nothing was acknowledged for "
                f"{STALL_SECONDS:g} seconds{why}."
            )

    def _report(self, error: KafkaError | None, message: Message) -> None:
        """One record that failed; those behind it fail too."""
        self._failed += 1
        if error is not None and self._failure is None:
            self._failure = self._why(error)

    def _hear(self, error: KafkaError) -> None:
        self._trouble.hear(error)
        if error.fatal() and self._failure is None:
            self._failure = self._why(error)

    def _fail(self, why: str) -> None:
        self._failure = self._failure or why
        self._stop()

    def _stop(self) -> None:
        """When this returns nothing is handed to the network any more."""
        if self._is_open:
            self._is_open = False
            self._waiting.clear()
            stop_producer(self._producer)

    def _why(self, error: KafkaError) -> str:
        return str(self._trouble.explain(error, f"publish to {self._topic}"))
