"""A corpus: stored events of some history, and what was approved of every read model of them.

    DIR/events/shard-0003.jsonl     a shard's records, one a line, as they lay on the topic
    DIR/approved/downloads.jsonl    the rows of a read model, by shard and key; what is parked

Both are made to be reviewed and to differ little: a line says in words what its bytes are; only
the bytes count. Files of events are never written again; newer events are another shard's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from airside.adapters.memory_log import MemoryLog
from airside.adapters.memory_view_store import MemoryViewStore
from projectors.fingerprint import fold_fingerprint
from projectors.generations import ensure_serving, serving
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.view_store import Generation, ParkedEvent
from schemas.codec import CODEC
from schemas.errors import Hole, Invalid, NotFound, Permanent
from schemas.record import EVENTS_TOPIC
from schemas.registry import BODY_AT, load_schemas

KeyValue = tuple[bytes | None, bytes | None]

EVENTS, APPROVED = "events", "approved"
ROWS_READ = 1_000  # at once


class Line(Struct, frozen=True, omit_defaults=True):
    """One record of the events topic."""

    seq: int | None = None  # for readers; None: it is no event
    key: str | None = None
    schema: str | None = None  # for readers; None: unknown to whoever wrote the line
    says: dict[str, Any] | None = None  # for readers; None: it could not be read
    record: str | None = None  # in hex; None: no value


class Row(Struct, frozen=True, tag_field="is", tag="row"):
    """One row of a read model."""

    shard: int
    key: str
    row: Raw


class Parked(Struct, frozen=True, tag_field="is", tag="parked"):
    """An event that is not in the rows."""

    shard: int
    key: str
    line: int  # of the shard's file of events
    reason: str  # its code alone: the words behind it may change


Approved = Row | Parked
Place = tuple[bool, int, str, int]
"""Where something stands in a file: rows by shard and key, then what is parked."""


class Difference(Struct, frozen=True):
    """What is otherwise than approved; None: it is not there."""

    projection: str
    approved: Approved | None
    now: Approved | None

    @property
    def either(self) -> Approved:
        """One of the two, for what they have in common."""
        found = self.approved if self.now is None else self.now
        assert found is not None
        return found


def read_events(corpus: Path) -> list[list[KeyValue]]:
    """The records of every shard. Raises: NotFound, Invalid."""
    files = sorted((corpus / EVENTS).glob("shard-*.jsonl"))
    if not files:
        raise NotFound(
            f"{corpus}: no events/shard-….jsonl there. Name a corpus, or make one of a "
            "deployment's topic with --record."
        )
    return [[_key_value(path, n, line) for n, line in _lines(path)] for path in files]


def write_events(path: Path, records: Iterable[KeyValue]) -> int:
    """Write a new file of events; how many. Raises: Invalid where it is there already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = {schema.prefix: schema.label for schema in load_schemas()}
    count = 0
    try:
        with path.open("xb") as out:
            for key, value in records:
                out.write(msgspec.json.encode(line_of(key, value, labels)) + b"\n")
                count += 1
    except FileExistsError:
        raise Invalid(
            f"{path} is there already, and stored events are never written again. Name "
            "another directory."
        ) from None
    return count


def line_of(key: bytes | None, value: bytes | None, labels: Mapping[bytes, str]) -> Line:
    """A record as a line of a file."""
    data = value or b""
    try:
        says = msgspec.json.decode(msgspec.json.encode(CODEC.decode_event(data)))
    except Permanent:
        says = None
    return Line(
        seq=CODEC.seq_of(data),
        key=None if key is None else key.decode(errors="replace"),
        schema=labels.get(data[:BODY_AT]),
        says=says,
        record=None if value is None else value.hex(),
    )


def folded(events: Sequence[Sequence[KeyValue]], projection: Projection[Any]) -> list[Approved]:
    """What the installed code makes of the events, in the order of the file.

    Raises: Hole where events are missing; what else halts a projector.
    """
    log, store = MemoryLog(lambda: 0), MemoryViewStore()
    log.create_topic(EVENTS_TOPIC, len(events))
    for shard, records in enumerate(events):
        log.append(EVENTS_TOPIC, shard, records)
    read_side = ReadSide(
        codec=CODEC,
        store=store,
        shards=len(events),
        source=lambda shard: log.source(EVENTS_TOPIC, shard),
        clock=lambda: 0,
        sleep=lambda seconds: None,
    )
    fingerprint = fold_fingerprint(projection, CODEC)
    generation = serving(
        ensure_serving(store, projection.name, fingerprint=fingerprint, now_at=0)
    )
    found: list[Approved] = []
    for shard in range(len(events)):
        with closing(read_side.projector(projection, generation, shard, fingerprint)) as worker:
            while worker.step():
                pass
            if worker.halted is not None:
                raise Hole(f"shard {shard} of the corpus: {worker.halted}")
        found += _rows(store, generation, shard)
        found += (_parked(shard, one) for one in store.parked(generation, shard))
    return sorted(found, key=_place)


def read_approved(corpus: Path, projection: str) -> list[Approved] | None:
    """What was approved; None: nothing yet. Raises: Invalid."""
    path = _approved_path(corpus, projection)
    if not path.is_file():
        return None
    decoder = msgspec.json.Decoder(Approved)
    found: list[Approved] = []
    for n, line in _lines(path):
        try:
            found.append(decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise _bad_line(path, n, error) from error
    return found


def approve(corpus: Path, projection: str, found: Iterable[Approved]) -> None:
    """This is what is right from now on."""
    path = _approved_path(corpus, projection)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in found))


def approved_names(corpus: Path) -> list[str]:
    """The projections that something was approved of."""
    return sorted(path.stem for path in (corpus / APPROVED).glob("*.jsonl"))


def withdraw(corpus: Path, projection: str) -> None:
    """There is no such projection any more."""
    _approved_path(corpus, projection).unlink(missing_ok=True)


def differences(
    projection: str, approved: Iterable[Approved], now: Iterable[Approved]
) -> Iterator[Difference]:
    """Everything that differs, in the order of the file."""
    was, found = ({_place(one): one for one in side} for side in (approved, now))
    for place in sorted(was.keys() | found.keys()):
        if was.get(place) != found.get(place):
            yield Difference(projection, was.get(place), found.get(place))


def _rows(store: MemoryViewStore, generation: Generation, shard: int) -> Iterator[Row]:
    keys = list(store.keys(generation, shard))
    for n in range(0, len(keys), ROWS_READ):
        rows = store.rows(generation, shard, keys[n : n + ROWS_READ]).rows
        yield from (Row(shard, key, Raw(row)) for key, row in rows.items() if row is not None)


def _parked(shard: int, event: ParkedEvent) -> Parked:
    return Parked(shard, event.key, event.offset + 1, event.reason.partition(":")[0])


def _place(one: Approved) -> Place:
    line = one.line if isinstance(one, Parked) else 0
    return isinstance(one, Parked), one.shard, one.key, line


def _approved_path(corpus: Path, projection: str) -> Path:
    return corpus / APPROVED / f"{projection}.jsonl"


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as lines:
        yield from enumerate((line for line in lines if line.strip()), 1)


def _key_value(path: Path, n: int, line: bytes) -> KeyValue:
    try:
        read = msgspec.json.decode(line, type=Line)
        value = None if read.record is None else bytes.fromhex(read.record)
    except (msgspec.MsgspecError, ValueError) as error:
        raise _bad_line(path, n, error) from error
    return None if read.key is None else read.key.encode(), value


def _bad_line(path: Path, n: int, error: Exception) -> Invalid:
    return Invalid(f"{path}, line {n}: {error}. Take the file back as it was.")
