"""The corpus of the release gate: histories in which every version of every event happens.

`python -m tests.kit.corpus` writes the chapters that have no file yet, each a shard of its own.
A file is never written again: it stands for events that are stored somewhere. For a new event,
or a new version of one, add a chapter at the end; then approve what is made of it:

    airside replay --dry-run --corpus tests/corpus --approve
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from airside.corpus import EVENTS, KeyValue, write_events
from commands.deciding.licenses import license_id_of
from schemas import commands as asked
from schemas import events
from schemas.codec import CODEC
from schemas.envelope import Command, Event
from schemas.record import EVENTS_TOPIC
from schemas.registry import BODY_AT, MARKER, Schema, load_schemas
from tests.kit.avro import written
from tests.kit.given import catalog_of
from tests.kit.happenings import DAY, HOUR, id_of
from tests.kit.license_shard import LicenseShard

FOLDER = Path(__file__).parent.parent / "corpus"
SCHEMAS = {schema.label: schema for schema in load_schemas()}
FUTURE = MARKER + b"\xff" * (BODY_AT - len(MARKER))  # a schema that nobody has written yet
DAY_S = 86_400


class Life:
    """What one account asks for, an hour between any two, and what becomes of it."""

    def __init__(self, shard: LicenseShard, account_id: str, first: int) -> None:
        self._shard, self._account_id, self._number = shard, account_id, first

    def asks(self, kind: type[Command], *, after_ms: int = HOUR, **fields: Any) -> str:
        """The license that it is given, if it is given one."""
        self._shard.now_at += after_ms
        self._number += 1
        at = self._shard.now_at
        usual: dict[str, Any] = {"command_id": id_of(self._number), "issued_at": at - 70}
        command = kind(account_id=self._account_id, **usual, **fields)
        self._shard.do(command, at=at)
        return license_id_of(command) if isinstance(command, asked.AcquireLicense) else ""

    @property
    def now_at(self) -> int:
        """When it asked last."""
        return self._shard.now_at

    def begins(self) -> None:
        """It is opened, and has a device."""
        self.asks(asked.OpenAccount, plan_id="standard", country="DE")
        self.asks(asked.RegisterDevice, device_id="d1", model="tablet", security_level=1)

    def acquires(self, title_id: str, device_id: str = "d1") -> str:
        """The license."""
        return self.asks(asked.AcquireLicense, title_id=title_id, device_id=device_id)


def shard() -> LicenseShard:
    """Under policies by which everything happens."""
    return LicenseShard(
        catalog_of(
            title={"title.max_downloads": 1},
            studio={"title.count_at": "issued", "license.play_window_s": 2 * DAY_S},
            service={"account.lease_s": 60 * DAY_S, "title.count_at": "completed"},
        )
    )


def lives() -> list[KeyValue]:
    """Every event of today, in a shard where some cannot be read."""
    stage = shard()
    amy, ben, cam = (
        Life(stage, name, n) for name, n in (("amy", 0), ("ben", 200), ("cam", 400))
    )
    everything(amy)
    leaves(amy)
    ben.begins()
    ben.acquires("t1")
    ben.asks(asked.EraseAccount)
    cam.begins()
    cam.acquires("t2")
    records = published(stage)
    future = [n for n, (key, _) in enumerate(records) if key == b"cam"][1]
    records[future] = (b"cam", FUTURE + (records[future][1] or b"")[BODY_AT:])
    middle = len(records) // 2
    records[middle:middle] = [(b"amy", b"no event at all"), (b"", None)]
    return records


def everything(amy: Life) -> None:
    """Licenses in all their states."""
    amy.begins()
    amy.asks(asked.RegisterDevice, device_id="d2", model="phone", security_level=2)
    failed = amy.acquires("t1")
    amy.asks(asked.ReportDownload, license_id=failed, status="failed", bytes=7)
    kept = amy.acquires("t3")
    amy.asks(asked.ReportDownload, license_id=kept, status="completed", bytes=700_000)
    played = amy.acquires("t2")
    at = amy.now_at
    amy.asks(asked.ReportPlayback, license_id=played, session_id="p1", started_at=at)
    amy.asks(asked.RenewLicense, license_id=kept, after_ms=DAY)
    amy.asks(asked.RenewDevice, device_id="d1")
    amy.asks(asked.SyncDevice, device_id="d1", held_license_ids=(kept, played), device_clock=at)
    amy.acquires("t1")
    amy.acquires("t1", "d2")
    amy.asks(asked.GrantAllowance, title_id="t1", count=1, expires_at=at + 9 * DAY, note="ok")
    amy.acquires("t1", "d2")
    amy.asks(asked.ExpireLicense, license_id=kept, due_at=at + 40 * DAY, after_ms=40 * DAY)
    amy.asks(asked.ReleaseLicense, license_id=kept)
    amy.asks(asked.ReleaseLicense, license_id=kept)


def leaves(amy: Life) -> None:
    """Other plans, another country, no account."""
    amy.asks(asked.ChangePlan, plan_id="premium")
    amy.asks(asked.ChangeCountry, country="FR")
    amy.asks(asked.SuspendAccount, reason="unpaid")
    amy.acquires("t3")
    amy.asks(asked.ReinstateAccount, reason="paid")
    amy.asks(asked.RevokeLicense, title_id="t1", reason="rights")
    last = amy.acquires("t3", "d2")
    amy.asks(asked.ReleaseLicense, license_id=last, proof="secure")
    amy.acquires("t3")
    amy.asks(asked.RemoveDevice, device_id="d2")
    amy.asks(asked.CloseAccount, reason="moved away")


def older_versions() -> list[KeyValue]:
    """A life as it was written by the first versions of what has newer ones."""
    stage = shard()
    old = Life(stage, "old", 600)
    old.begins()
    for title_id in ("t1", "t3"):
        license_id = old.acquires(title_id)
        old.asks(asked.ReportDownload, license_id=license_id, status="completed", bytes=9)
    old.asks(asked.RenewDevice, device_id="d1", after_ms=DAY)
    as_first: dict[type[Event], str] = {
        events.LicenseIssued: "LicenseIssued.v1",
        events.DownloadReported: "DownloadCompleted.v1",
    }
    return [
        (key, _as_written(as_first.get(type(CODEC.decode_event(value or b""))), value or b""))
        for key, value in published(stage)
    ]


CHAPTERS: Sequence[Callable[[], list[KeyValue]]] = (lives, older_versions)
"""By the shard that each of them is."""


def published(stage: LicenseShard) -> list[KeyValue]:
    """What lies on the events topic."""
    return [(key, value) for _, _, key, value in stage.log.records(EVENTS_TOPIC, 0)]


def write_missing(corpus: Path = FOLDER) -> Iterator[Path]:
    """Write the chapters that have no file."""
    for number, chapter in enumerate(CHAPTERS):
        path = corpus / EVENTS / f"shard-{number:04}.jsonl"
        if not path.exists():
            write_events(path, chapter())
            yield path


def _as_written(label: str | None, data: bytes) -> bytes:
    """An event as an older schema has it; None: as it is."""
    if label is None:
        return data
    schema = SCHEMAS[label]
    event = msgspec.to_builtins(CODEC.decode_event(data))
    return written(schema, {f["name"]: _as_avro(event[f["name"]], f) for f in _fields(schema)})


def _fields(schema: Schema) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = schema.avro["fields"]
    return found


def _as_avro(value: Any, field: dict[str, Any]) -> Any:
    kind = field["type"]
    is_id = kind == "Uuid" or (isinstance(kind, dict) and kind["type"] == "fixed")
    return bytes.fromhex(value) if is_id else value


if __name__ == "__main__":
    list(write_missing())
