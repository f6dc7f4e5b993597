"""The archive as Avro object container files in a directory: any Avro tool reads them.

    DIRECTORY/<history id>/shard-0003/commits-000000000001-000000000231.avro

The codec is deflate, the one that every implementation must have. A file is written beside its
place, brought to the disk, and then renamed; its digest is checked whenever it is opened. What
was read last stays in memory: a few files, since whoever reads one commit reads the next, and
whoever folds one account folds its neighbours.
"""

import fcntl
import hashlib
import io
import json
import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import fastavro

from airside.archive import ArchiveFile
from commands.event_store import Commit, Parked, StoredEvent
from schemas.errors import Hole, Unavailable

SCHEMA = fastavro.parse_schema(
    json.loads(Path(__file__).with_suffix(".avsc").read_text(encoding="utf-8"))
)
BLOCK_BYTES = 64 * 1024  # of one block of a file, unless a commit alone has more
DEFLATE_LEVEL = 6  # of 9: 1 takes two thirds of the time for 6 % more (measured)
FILES_MAX = 8  # in memory, some 10 MB each


class Contents:
    """One file in memory."""

    def __init__(self, commits: Mapping[int, Commit]) -> None:
        self.commits = commits
        self._accounts: dict[str, list[StoredEvent]] = {}  # made when first asked for

    def events(self, account_id: str) -> Sequence[StoredEvent]:
        """Those of the account, by version."""
        if not self._accounts:
            for commit in self.commits.values():
                for event in commit.events:
                    self._accounts.setdefault(event.account_id, []).append(event)
        return self._accounts.get(account_id, ())


class AvroArchive:
    """See the module. For one thread at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._opened: OrderedDict[str, Contents] = OrderedDict()  # by digest

    @contextmanager
    def exclusive(self, history: str, shard: int) -> Iterator[None]:
        """By a lock on a file, which ends with the process. Raises: Unavailable."""
        place = self._made(history, shard)
        with self._writing(place):
            lock = (place / ".lock").open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Unavailable(
                    f"{place}: another airside archive is at work here. Let it finish."
                ) from None
            yield

    def write(self, history: str, commits: Sequence[Commit]) -> ArchiveFile:
        """Write beside, bring to the disk, rename. Raises: Unavailable."""
        first, last = commits[0], commits[-1]
        place = self._made(history, first.shard)
        path = place / f"commits-{first.number:012}-{last.number:012}.avro"
        data = encoded(history, commits)
        beside = path.with_name(f".{path.name}.new")
        with self._writing(path):
            with beside.open("wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(path)
            for directory in (place, place.parent, self.directory):
                _bring_to_disk(directory)
        return ArchiveFile(
            first.shard,
            first.number,
            last.number,
            first.first_seq,
            last.last_seq,
            sum(len(commit.events) for commit in commits),
            path.relative_to(self.directory).as_posix(),
            hashlib.sha256(data).hexdigest(),
        )

    def commits(self, file: ArchiveFile) -> Mapping[int, Commit]:
        """By number. Raises: Hole where the file is missing or damaged."""
        return self._contents(file).commits

    def events(self, file: ArchiveFile, account_id: str) -> Sequence[StoredEvent]:
        """Those of the account. Raises: Hole like `commits`."""
        return self._contents(file).events(account_id)

    def close(self) -> None:
        """Let go of what is in memory."""
        self._opened.clear()

    def _contents(self, file: ArchiveFile) -> Contents:
        if file.sha256 not in self._opened:
            self._opened[file.sha256] = Contents(self._read(file))
            if len(self._opened) > FILES_MAX:
                self._opened.popitem(last=False)
        self._opened.move_to_end(file.sha256)
        return self._opened[file.sha256]

    def _read(self, file: ArchiveFile) -> Mapping[int, Commit]:
        path = self.directory / file.file
        try:
            data = path.read_bytes()
        except OSError as error:
            what = f"cannot be read: {error.strerror}. Bring it back, or name its archive."
            raise _hole(file, path, what) from error
        if hashlib.sha256(data).hexdigest() != file.sha256:
            what = "is not as it was written: its digest differs. Bring back a copy."
            raise _hole(file, path, what)
        return {commit.number: commit for commit in decoded(data, file.shard)}

    def _made(self, history: str, shard: int) -> Path:
        place = self.directory / history / f"shard-{shard:04}"
        with self._writing(place):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        return place

    @contextmanager
    def _writing(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"{path} cannot be written: {error.strerror}. Make room or give the right to "
                "write there, then run it again: it goes on where it stopped."
            ) from error


def encoded(history: str, commits: Sequence[Commit]) -> bytes:
    """The whole file."""
    out = io.BytesIO()
    metadata = {"airside.history": history, "airside.shard": str(commits[0].shard)}
    fastavro.writer(
        out,
        SCHEMA,
        map(_record, commits),
        codec="deflate",
        codec_compression_level=DEFLATE_LEVEL,
        sync_interval=BLOCK_BYTES,
        metadata=metadata,
    )
    return out.getvalue()


def decoded(data: bytes, shard: int) -> Iterator[Commit]:
    """The commits of a file whose digest is right."""
    names: dict[str, str] = {}  # each account's id once in memory
    for record in fastavro.reader(io.BytesIO(data)):
        assert isinstance(record, dict)
        yield _commit(record, shard, names)


def _hole(file: ArchiveFile, path: Path, what: str) -> Hole:
    hole = Hole(
        f"shard {file.shard}, commits {file.first_number} to {file.last_number} are archived, "
        f"and {path} {what}"
    )
    hole.last_seq = file.last_seq
    return hole


def _record(commit: Commit) -> dict[str, Any]:
    return {
        "number": commit.number,
        "commit_id": commit.commit_id,
        "first_seq": commit.first_seq,
        "last_seq": commit.last_seq,
        "next_offset": commit.next_offset,
        "settled": commit.settled,
        "events": [
            {"account_id": e.account_id, "version": e.version, "data": e.data}
            for e in commit.events
        ],
        "parked": [
            {
                "offset": p.offset,
                "account_id": p.account_id,
                "at": p.at,
                "reason": p.reason,
                "value": p.value,
            }
            for p in commit.parked
        ],
        "unparked": commit.unparked,
    }


def _commit(record: dict[str, Any], shard: int, names: dict[str, str]) -> Commit:
    first_seq = record["first_seq"]
    events = zip(count(first_seq), record["events"], strict=False)
    return Commit(
        shard=shard,
        number=record["number"],
        commit_id=record["commit_id"],
        first_seq=first_seq,
        next_offset=record["next_offset"],
        settled=record["settled"],
        events=tuple(
            StoredEvent(
                seq,
                names.setdefault(e["account_id"], e["account_id"]),
                e["version"],
                e["data"],
            )
            for seq, e in events
        ),
        parked=tuple(Parked(**one) for one in record["parked"]),
        unparked=tuple(record["unparked"]),
    )


def _bring_to_disk(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
