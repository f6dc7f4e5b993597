"""Writers and a reader of one partition at the same time; a process may run a writer alone."""

import time
from pathlib import Path
from typing import Any

from airside.adapters.sqlite_log import SqliteLog
from airside.log import Log, Source
from commands.log import EventPublisher
from schemas.record import Record


def append_batches(log: Log, writer: str, batches: int, size: int) -> None:
    """Batches of records that say who wrote them and which one it is."""
    for batch in range(batches):
        names = [f"{writer}-{batch * size + i}".encode() for i in range(size)]
        log.append("t", 0, [(name, name) for name in names])


def append_from_another_process(path: Path, writer: str, batches: int, size: int) -> None:
    """What a spawned process runs."""
    log = SqliteLog(path, lambda: 1)
    append_batches(log, writer, batches, size)
    log.close()


def portions_of(source: Source, count_max: int, count: int) -> list[list[Record]]:
    """What each poll yields until there are so many records, or none for a long time."""
    portions = [source.poll(count_max, 30)]
    while portions[-1] and sum(map(len, portions)) < count:
        portions.append(source.poll(count_max, 30))
    return portions


def acknowledged_by(publisher: EventPublisher, count: int, looks_max: int = 3_000) -> int:
    """How many are acknowledged once it is this many; fewer if they never are."""
    for _ in range(looks_max):
        if publisher.acknowledged() >= count:
            break
        time.sleep(0.01)
    return publisher.acknowledged()


def read_until(source: Source, count: int, empty_polls_max: int = 600) -> list[Record]:
    """At least so many records, as they come; fewer if they do not come at all."""
    found: list[Record] = []
    empty = 0
    while len(found) < count and empty < empty_polls_max:
        arrived = source.poll(7, 0.05)
        found += arrived
        empty += not arrived
    return found


def read_traced(
    source: Source, count: int, empty_polls_max: int = 600
) -> tuple[list[tuple[bytes | None, bytes | None]], dict[int, str]]:
    """Keys and values of so many records, as they come, and the traces that they carry."""
    found: list[tuple[bytes | None, bytes | None]] = []
    traces: dict[int, str] = {}
    empty = 0
    while len(found) < count and empty < empty_polls_max:
        arrived = source.poll(count, 0.05)
        found += [(key, value) for _, _, key, value in arrived]
        traces |= source.traces or {}
        empty += not arrived
    return found, traces


def order_of(writer: str, records: list[Record]) -> list[int]:
    """The numbers of one writer's records, in the order in which they are in the log."""
    names: list[Any] = [value for _, _, _, value in records]
    prefix = f"{writer}-".encode()
    return [int(name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
