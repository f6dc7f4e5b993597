"""A producer's log, watched: appends are timed, and carry on the trace they are part of."""

from collections.abc import Sequence
from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any

from airside.gateway.topic import CommandsTopic
from airside.log import KeyValue, Log, Traces
from airside.telemetry.metrics import LogMetrics
from schemas.errors import AirsideError
from schemas.record import COMMANDS_TOPIC as TOPIC

if TYPE_CHECKING:
    from airside.telemetry.tracing import Tracing


class WatchedLog:
    """Any log; what is not here passes through."""

    def __init__(self, log: Log, metrics: LogMetrics, tracing: "Tracing | None") -> None:
        self._log, self._metrics, self._tracing = log, metrics, tracing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def append(
        self,
        topic: str,
        partition: int,
        records: Sequence[KeyValue],
        traces: Traces | None = None,
    ) -> int:
        """As `Log.append`. Each record carries the trace of this append, if there is one."""
        began = perf_counter()
        sending = nullcontext("") if self._tracing is None else self._tracing.sending(topic)
        with sending as trace:
            try:
                first = self._log.append(
                    topic,
                    partition,
                    records,
                    dict.fromkeys(range(len(records)), trace) if trace else traces,
                )
            except AirsideError as error:
                self._metrics.errors.labels(topic, "append", type(error).__name__).inc()
                raise
        self._metrics.appends.labels(topic).observe(perf_counter() - began)
        return first


class WatchedTopic:
    """The gateway's topic, watched in the same way."""

    def __init__(
        self, topic: CommandsTopic, metrics: LogMetrics, tracing: "Tracing | None"
    ) -> None:
        self._topic, self._metrics, self._tracing = topic, metrics, tracing

    async def partitions(self) -> int:
        """As `CommandsTopic.partitions`."""
        return await self._topic.partitions()

    async def append(
        self, partition: int, records: Sequence[KeyValue], traces: Traces | None = None
    ) -> None:
        """As `CommandsTopic.append`. Each record carries the trace of this append."""
        began = perf_counter()
        sending = nullcontext("") if self._tracing is None else self._tracing.sending(TOPIC)
        with sending as trace:
            carried = dict.fromkeys(range(len(records)), trace) if trace else traces
            try:
                await self._topic.append(partition, records, carried)
            except AirsideError as error:
                self._metrics.errors.labels(TOPIC, "append", type(error).__name__).inc()
                raise
        self._metrics.appends.labels(TOPIC).observe(perf_counter() - began)

    async def close(self) -> None:
        """As `CommandsTopic.close`."""
        await self._topic.close()
