"""Appending while you wait, as producers of commands and operators do."""

import threading
import time
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from airside.adapters.kafka_producer import open_producer, stop_producer
from airside.adapters.kafka_settings import KafkaCluster
from airside.adapters.kafka_traces import headers_of
from airside.adapters.kafka_trouble import Trouble
from airside.log import KeyValue, Traces
from schemas.errors import Unavailable

APPEND_SECONDS = 30.0  # for one append to be acknowledged; a broker's restart fits in
PAUSE_SECONDS = 0.05
FATAL = {KafkaError._GAPLESS_GUARANTEE, KafkaError._FATAL}
PURGED = {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}  # a consequence, no reason


class Delivery:
    """What became of the records of one append."""

    def __init__(self) -> None:
        self.outstanding = 0
        self.first = -1
        self.error: KafkaError | None = None

    def report(self, error: KafkaError | None, message: Message) -> None:
        """One record's outcome."""
        self.outstanding -= 1
        if error is not None:
            self._learn(error)
        elif self.first < 0:
            self.first = message.offset() or 0

    def serve(self, producer: Producer) -> None:
        """Let reports come in. A fatal error is told so, and takes all others with it."""
        try:
            producer.poll(PAUSE_SECONDS)
        except KafkaException as error:
            self._learn(error.args[0])

    def _learn(self, error: KafkaError) -> None:
        """Keep what says most: a record's own error, else the fatal one, else a consequence."""
        if self.error is None or _weight(error) > _weight(self.error):
            self.error = error


class KafkaAppending:
    """One idempotent, gapless producer; given up as a whole when anything fails.

    So no record overtakes one that failed. Others who append at that moment fail with it, and
    append again. Threads may share it.
    """

    def __init__(self, cluster: KafkaCluster, trouble: Trouble) -> None:
        self._cluster, self._trouble = cluster, trouble
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def append(
        self, topic: str, partition: int, records: Sequence[KeyValue], traces: Traces
    ) -> int:
        """The offset of the first, once all are acknowledged.

        Raises: Unavailable, and some may be there; TooLarge where the broker says so.
        """
        delivery = Delivery()
        doing = f"append to {topic}, partition {partition}"
        deadline = time.monotonic() + APPEND_SECONDS
        with self._trouble.translated(doing):
            producer = self._open(topic)
            try:
                self._produce(producer, (topic, partition), records, traces, delivery, deadline)
                while delivery.outstanding:
                    if time.monotonic() > deadline:
                        raise self._late(doing)
                    delivery.serve(producer)
                if delivery.error is not None:
                    raise KafkaException(delivery.error)
            except (KafkaException, Unavailable):
                self._give_up(producer)
                raise
        return delivery.first

    def close(self) -> None:
        """Drop what is under way, and the connection."""
        if self._producer is not None:
            self._give_up(self._producer)

    def _produce(
        self,
        producer: Producer,
        place: tuple[str, int],  # topic and partition
        records: Sequence[KeyValue],
        traces: Traces,
        delivery: Delivery,
        deadline: float,
    ) -> None:
        topic, partition = place
        name = self._cluster.named(topic)
        with self._lock:  # one append's records stay together
            for n, (key, value) in enumerate(records):
                headers = headers_of(traces[n]) if n in traces else None
                while True:
                    try:
                        producer.produce(
                            name,
                            value,
                            key,
                            partition,
                            on_delivery=delivery.report,
                            headers=headers,
                        )
                        delivery.outstanding += 1
                        break
                    except BufferError:
                        if time.monotonic() > deadline:
                            raise self._late(f"append to {topic}") from None
                        producer.poll(PAUSE_SECONDS)

    def _open(self, topic: str) -> Producer:
        with self._lock:
            if self._producer is None:
                settings = {
                    **self._cluster.producer(),
                    "delivery.report.only.error": False,
                    **self._trouble.callbacks(),
                }
                self._producer = open_producer(settings, self._cluster.named(topic))
            return self._producer

    def _give_up(self, producer: Producer) -> None:
        with self._lock:
            if self._producer is producer:
                self._producer = None
        stop_producer(producer)

    def _late(self, doing: str) -> Unavailable:
        known = self._trouble.recent()
        why = f" ({known.str()})" if known is not None else ""
        return Unavailable(
            f"{self._cluster}, {doing}: not acknowledged in {APPEND_SECONDS:g} seconds{why}. "
            "Some of it may be there; are the brokers running, and reachable from here?"
        )


def _weight(error: KafkaError) -> int:
    return 0 if error.code() in PURGED else 1 if error.code() in FATAL else 2
