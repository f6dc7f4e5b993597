"""The gateway's topic on Kafka: records handed to a producer, acknowledgements awaited.

The event loop hands records over, which never waits; a thread serves the producer's reports and
passes them to the loop. The producer is the gapless, idempotent one of all our writers, so it
is given up as a whole when anything fails: what is under way fails with it, and the next append
opens another. While no broker answers, appends fail at once for PAUSE_SECONDS after each try.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from airside.adapters.kafka_producer import OPEN_SECONDS, open_producer, stop_producer
from airside.adapters.kafka_settings import parse_cluster
from airside.adapters.kafka_traces import headers_of
from airside.adapters.kafka_trouble import Trouble
from airside.gateway.topic import APPEND_SECONDS
from airside.log import KeyValue, Traces, check_sizes
from schemas.errors import AirsideError, Unavailable
from schemas.record import COMMANDS_TOPIC

SERVE_SECONDS = 0.1  # the longest that the thread does not look whether it should stop
PAUSE_SECONDS = 0.5  # after a try to connect that failed
DOING = f"append to {COMMANDS_TOPIC}"


class KafkaCommandsTopic:
    """See `airside.gateway.topic.CommandsTopic` for the guarantee, the module for the way."""

    def __init__(self, url: str) -> None:
        """Nothing is asked of the cluster yet. Raises: Invalid for an address that is none."""
        self._cluster = parse_cluster(url)
        self._trouble = Trouble(str(self._cluster))
        self._link: Link | None = None
        self._opening: asyncio.Task[Link] | None = None
        self._failure: tuple[float, AirsideError | None] = (0.0, None)  # told until then
        self._ending: set[asyncio.Task[None]] = set()

    async def partitions(self) -> int:
        """How many partitions it has. Raises: NotFound, Unavailable."""
        return (await self._linked()).partitions

    async def append(
        self, partition: int, records: Sequence[KeyValue], traces: Traces | None = None
    ) -> None:
        """All records, acknowledged. Raises: TooLarge, NotFound, Unavailable."""
        check_sizes(COMMANDS_TOPIC, records)
        if not records:
            return
        link: Link | None = None
        try:
            async with asyncio.timeout(APPEND_SECONDS):
                link = await self._linked()
                await link.send(partition, records, traces or {})
        except TimeoutError:
            self._give_up(link)
            known = self._trouble.recent()
            why = f" ({known.str()})" if known is not None else ""
            raise Unavailable(
                f"{self._cluster}, {DOING}: not acknowledged in {APPEND_SECONDS:g} seconds"
                f"{why}. Are the brokers running, and reachable from here?"
            ) from None
        except AirsideError:
            self._give_up(link)
            raise

    async def close(self) -> None:
        """Drop what is under way, and the connection."""
        if self._opening is not None:
            await asyncio.wait([self._opening])
        self._give_up(self._link)
        await asyncio.gather(*self._ending)

    async def _linked(self) -> "Link":
        """The open link; those who come while it is opened wait for it together."""
        if self._link is not None:
            return self._link
        if self._opening is None:
            until, error = self._failure
            if error is not None and asyncio.get_running_loop().time() < until:
                raise type(error)(str(error))
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(_heard)
        return await asyncio.shield(self._opening)

    async def _open(self) -> "Link":
        loop = asyncio.get_running_loop()
        name = self._cluster.named(COMMANDS_TOPIC)
        settings: dict[str, Any] = {
            **self._cluster.producer(),
            "delivery.report.only.error": False,
            **self._trouble.callbacks(),
        }
        try:
            self._link = await asyncio.to_thread(_opened, settings, name, self._trouble, loop)
            return self._link
        except AirsideError as error:
            self._failure = (loop.time() + PAUSE_SECONDS, error)
            raise
        finally:
            self._opening = None

    def _give_up(self, link: "Link | None") -> None:
        """It hands nothing to the network any more; others who append fail with it."""
        if link is None:
            return
        if self._link is link:
            self._link = None
        ending = asyncio.create_task(link.close())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


def _heard(opening: "asyncio.Task[Link]") -> None:
    """Whoever waited for it may have given up meanwhile."""
    if not opening.cancelled():
        opening.exception()


def _opened(
    settings: dict[str, Any], name: str, trouble: Trouble, loop: asyncio.AbstractEventLoop
) -> "Link":
    with trouble.translated(DOING):
        producer = open_producer(settings, name)
        found = producer.list_topics(name, timeout=OPEN_SECONDS).topics[name]
        if found.error is not None:
            stop_producer(producer)
            raise KafkaException(found.error)
    return Link(producer, name, len(found.partitions), trouble, loop)


class Link:
    """One producer and the thread that serves it. Methods are called in the event loop."""

    def __init__(
        self,
        producer: Producer,
        name: str,
        partitions: int,
        trouble: Trouble,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.partitions = partitions
        self._producer, self._name = producer, name
        self._trouble, self._loop = trouble, loop
        self._under_way: set[Delivery] = set()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="kafka-reports", daemon=True)
        self._thread.start()

    async def send(self, partition: int, records: Sequence[KeyValue], traces: Traces) -> None:
        """Returns when all are acknowledged. Raises: what the cluster said of one."""
        delivery = Delivery(self._loop, len(records))
        self._under_way.add(delivery)
        try:
            for place, (key, value) in enumerate(records):
                self._producer.produce(
                    self._name,
                    value,
                    key,
                    partition,
                    on_delivery=delivery.report,
                    headers=headers_of(traces[place]) if place in traces else None,
                )
            await delivery.done
        except BufferError:
            raise Unavailable(f"{self._name}: the producer's queue is full.") from None
        except KafkaException as error:
            raise self._trouble.explain(error.args[0], DOING) from None
        finally:
            self._under_way.discard(delivery)

    async def close(self) -> None:
        """Send nothing more. What is under way fails."""
        self._is_closing.set()
        await asyncio.to_thread(self._thread.join)
        for delivery in tuple(self._under_way):
            delivery.fail(KafkaError(KafkaError._PURGE_QUEUE))

    def _serve(self) -> None:
        while not self._is_closing.is_set():
            with suppress(KafkaException):  # a fatal error: each delivery is told its own
                self._producer.poll(SERVE_SECONDS)
        stop_producer(self._producer)


class Delivery:
    """What becomes of the records of one append; `done` when all are acknowledged."""

    def __init__(self, loop: asyncio.AbstractEventLoop, count: int) -> None:
        self.done: asyncio.Future[None] = loop.create_future()
        self._loop, self._outstanding = loop, count

    def report(self, error: KafkaError | None, message: Message) -> None:
        """One record's fate, told in the thread that serves the producer."""
        self._outstanding -= 1
        if error is not None:
            self._loop.call_soon_threadsafe(self.fail, error)
        elif not self._outstanding:
            self._loop.call_soon_threadsafe(self._succeed)

    def fail(self, error: KafkaError) -> None:
        """In the event loop. The first reason counts."""
        if not self.done.done():
            self.done.set_exception(KafkaException(error))

    def _succeed(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
