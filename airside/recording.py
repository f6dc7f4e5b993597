"""Makes a corpus of a deployment's events topic: reads it and writes files, nothing else."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from airside.checking.reading import records
from airside.corpus import EVENTS, KeyValue, write_events
from airside.log import Log
from airside.wiring import Deployment
from commands.event_store import EventStore
from schemas.codec import CODEC
from schemas.errors import Hole, Invalid
from schemas.record import EVENTS_TOPIC

UNFINISHED = "unfinished-"  # what a killed recording leaves; the next one removes it
EVENTS_READ = 1_000  # at once, of those that the topic lacks


def record(deployment: Deployment, corpus: Path) -> int:
    """Write the events of every shard into a new corpus; how many records.

    Each event once; what the topic lacks comes from the event store; what is no event is kept,
    since a projector meets it too. The corpus has all of them or, where it was interrupted,
    none: they are recorded anew then. Raises: Invalid where there are events already; Hole,
    Unavailable.
    """
    if (corpus / EVENTS).exists():
        raise Invalid(
            f"{corpus / EVENTS} is there already, and stored events are never written again. "
            "Name another directory."
        )
    deployment.check_layout()
    corpus.mkdir(parents=True, exist_ok=True)
    for left in corpus.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left)
    with (
        deployment.log() as topics,
        deployment.event_store() as store,
        TemporaryDirectory(prefix=UNFINISHED, dir=corpus) as unfinished,
    ):
        files = Path(unfinished) / EVENTS
        count = sum(
            write_events(files / f"shard-{shard:04}.jsonl", _once(topics, store, shard))
            for shard in range(deployment.shards)
        )
        files.rename(corpus / EVENTS)
    return count


def _once(topics: Log, store: EventStore, shard: int) -> Iterator[KeyValue]:
    """The records of a shard, each seq once and none missing."""
    with closing(topics.source(EVENTS_TOPIC, shard)) as source:
        end = source.end()
    last = 0
    for some in records(topics, EVENTS_TOPIC, shard, end=end):
        for _, _, key, value in some:
            seq = CODEC.seq_of(value or b"")
            if seq is not None and seq <= last:
                continue  # published again
            if seq is not None:
                yield from _missing(store, shard, last, seq)
                last = seq
            yield key, value


def _missing(store: EventStore, shard: int, after: int, before: int) -> Iterator[KeyValue]:
    """The events between two that the topic has. Raises: Hole."""
    while after + 1 < before:
        count = min(EVENTS_READ, before - 1 - after)
        found = store.read(shard, after_seq=after, count_max=count)
        if not found:
            raise Hole(
                f"shard {shard}: the events from seq {after + 1} to {before - 1} are neither "
                "on the topic nor in the event store. Run airside check."
            )
        yield from ((event.account_id.encode(), event.data) for event in found)
        after = found[-1].seq
