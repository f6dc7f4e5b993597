"""Writers and a reader of one partition at the same time; a process may run a writer alone."""

from pathlib import Path
from typing import Any

from airside.adapters.sqlite_log import SqliteLog
from airside.log import Log, Source
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


def read_until(source: Source, count: int, polls_max: int = 10_000) -> list[Record]:
    """At least so many records, as they come; fewer if they do not come at all."""
    found: list[Record] = []
    for _ in range(polls_max):
        if len(found) >= count:
            break
        found += source.poll(7, 0.05)
    return found


def order_of(writer: str, records: list[Record]) -> list[int]:
    """The numbers of one writer's records, in the order in which they are in the log."""
    names: list[Any] = [value for _, _, _, value in records]
    prefix = f"{writer}-".encode()
    return [int(name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
