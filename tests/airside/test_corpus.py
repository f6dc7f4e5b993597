"""Stored events and the rows that were approved of them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from airside.corpus import (
    EVENTS,
    Difference,
    Parked,
    Row,
    approve,
    differences,
    folded,
    read_approved,
    read_events,
    write_events,
)
from airside.log import KeyValue
from airside.recording import record
from airside.settings import Settings
from airside.wiring import Deployment, open_deployment
from commands.event_store import Commit, StoredEvent
from projectors import refusals, titles
from projectors.titles import Tally
from schemas import events
from schemas.codec import CODEC
from schemas.envelope import Event
from schemas.errors import Hole, Invalid, NotFound
from schemas.record import EVENTS_TOPIC
from schemas.registry import BODY_AT, load_schemas
from tests.kit.corpus import CHAPTERS, FOLDER, write_missing

EVENT_SCHEMAS = {s.prefix: s.label for s in load_schemas() if s.kind == "event"}


@pytest.fixture(scope="module")
def stored() -> list[list[KeyValue]]:
    return read_events(FOLDER)


# what is stored


def test_every_version_of_every_event_is_in_the_corpus(stored: list[list[KeyValue]]) -> None:
    found = {(value or b"")[:BODY_AT] for records in stored for _, value in records}

    missing = [label for prefix, label in EVENT_SCHEMAS.items() if prefix not in found]

    assert missing == [], "add a chapter to tests/kit/corpus.py, then approve"


def test_a_line_says_what_its_bytes_are() -> None:
    lines = (FOLDER / "events" / "shard-0001.jsonl").read_text().splitlines()
    said = [json.loads(line) for line in lines]

    assert [one["schema"] for one in said] == [
        EVENT_SCHEMAS[bytes.fromhex(one["record"])[:BODY_AT]] for one in said
    ]
    assert all(
        one["says"].items() <= json.loads(json_of(bytes.fromhex(one["record"]))).items()
        for one in said
    )


def json_of(record: bytes) -> bytes:
    return msgspec.json.encode(CODEC.decode_event(record))


def test_events_read_back_are_the_bytes_that_were_written(
    tmp_path: Path, stored: list[list[KeyValue]]
) -> None:
    path = tmp_path / "events" / "shard-0000.jsonl"

    assert write_events(path, stored[0]) == len(stored[0])
    assert read_events(tmp_path) == [stored[0]]


def test_events_are_never_written_again(tmp_path: Path) -> None:
    path = tmp_path / "events" / "shard-0000.jsonl"
    write_events(path, [(b"a1", b"?")])

    with pytest.raises(Invalid, match="never written again"):
        write_events(path, [])


def test_a_chapter_that_has_a_file_is_left_alone(tmp_path: Path) -> None:
    written = list(write_missing(tmp_path))

    assert len(written) == len(CHAPTERS)
    assert list(write_missing(tmp_path)) == []


@pytest.mark.parametrize("line", ["no JSON", '{"record": "0g"}', '{"record": 7}'])
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "events" / "shard-0000.jsonl"
    path.parent.mkdir()
    path.write_text(f"{{}}\n{line}\n")

    with pytest.raises(Invalid, match=r"shard-0000\.jsonl, line 2"):
        read_events(tmp_path)


def test_a_directory_without_events_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="Name a corpus"):
        read_events(tmp_path)


# what is made of it


def test_what_cannot_be_read_is_parked_and_part_of_what_is_approved(
    stored: list[list[KeyValue]],
) -> None:
    parked = [one for one in folded(stored, titles.PROJECTION) if isinstance(one, Parked)]

    assert [(one.key, one.reason) for one in parked] == [
        ("", "NO_EVENT"),
        ("", "NO_EVENT"),
        ("", "UNREADABLE"),
    ]


def test_a_corpus_that_lacks_an_event_is_no_proof(stored: list[list[KeyValue]]) -> None:
    with pytest.raises(Hole, match="shard 0 of the corpus"):
        folded([stored[0][:1] + stored[0][2:]], titles.PROJECTION)


def miscounted(row: Tally, event: events.LicenseIssued) -> Tally:
    """A bug."""
    changed = titles.PROJECTION.folds[events.LicenseIssued](row, event)
    assert changed is not None
    changed.issued += event.title_id == "t2"
    return changed


def test_a_fold_that_has_changed_is_found_in_the_rows_that_it_makes(
    stored: list[list[KeyValue]],
) -> None:
    folds: Mapping[type[Event], Any] = {
        **titles.PROJECTION.folds,
        events.LicenseIssued: miscounted,
    }
    broken = replace(titles.PROJECTION, folds=folds)

    right, wrong = folded(stored, titles.PROJECTION), folded(stored, broken)

    found = list(differences("titles", right, wrong))
    assert [(one.either.shard, one.either.key) for one in found] == [(0, "t2")]


def test_rows_that_come_and_go_differ_too() -> None:
    a, b = Row(0, "a", Raw(b"1")), Row(1, "b", Raw(b"2"))
    parked = Parked(0, "a", 3, "UNREADABLE")

    found = list(differences("p", [a, parked], [b, a]))

    assert found == [Difference("p", None, b), Difference("p", parked, None)]
    assert [one.either for one in found] == [b, parked]


def test_what_is_approved_reads_back_as_it_was(
    tmp_path: Path, stored: list[list[KeyValue]]
) -> None:
    now = folded(stored, refusals.PROJECTION)
    assert read_approved(tmp_path, "refusals") is None

    approve(tmp_path, "refusals", now)

    assert read_approved(tmp_path, "refusals") == now
    assert list(differences("refusals", now, read_approved(tmp_path, "refusals") or ())) == []


def test_an_approved_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    approve(tmp_path, "titles", [Row(0, "a", Raw(b"{"))])

    with pytest.raises(Invalid, match=r"titles\.jsonl, line 1"):
        read_approved(tmp_path, "titles")


# recording


@pytest.fixture
def life(stored: list[list[KeyValue]]) -> list[KeyValue]:
    """Thirteen events and no junk."""
    return stored[1]


def commit(life: list[KeyValue]) -> Commit:
    events = [CODEC.decode_event(value or b"") for _, value in life]
    kept = zip(events, life, strict=True)
    return Commit(
        shard=0,
        number=1,
        commit_id="0" * 32,
        first_seq=1,
        next_offset=0,
        settled=0,
        events=tuple(
            StoredEvent(event.seq, event.account_id, event.version, value or b"")
            for event, (_, value) in kept
        ),
    )


def recorded(folder: Path, on_the_topic: list[KeyValue], *commits: Commit) -> Any:
    """The corpus of a deployment with that events topic and history."""
    with open_deployment(Settings(data=folder / "data", shards=1)) as deployment:
        fill(deployment, on_the_topic, commits)
        count = record(deployment, folder / "corpus")
    (found,) = read_events(folder / "corpus")
    assert count == len(found)
    return found


def fill(deployment: Deployment, topic: list[KeyValue], commits: tuple[Commit, ...]) -> None:
    with deployment.log() as log, deployment.event_store() as store:
        log.append(EVENTS_TOPIC, 0, topic)
        for one in commits:
            store.commit(one)


def test_each_event_is_recorded_once_and_junk_too(tmp_path: Path, life: list[KeyValue]) -> None:
    junk: KeyValue = (b"old", b"junk")

    found = recorded(tmp_path, [*life[:4], junk, *life[2:], life[0]])

    assert found == [*life[:4], junk, *life[4:]]


def test_what_the_topic_lacks_comes_from_the_event_store(
    tmp_path: Path, life: list[KeyValue]
) -> None:
    assert recorded(tmp_path, [*life[2:5], *life[9:]], commit(life)) == life


def test_what_nobody_has_is_a_hole(tmp_path: Path, life: list[KeyValue]) -> None:
    with pytest.raises(Hole, match="events from seq 3 to 4 are neither"):
        recorded(tmp_path, [*life[:2], *life[4:]])


def test_a_corpus_is_not_recorded_over_another(tmp_path: Path, life: list[KeyValue]) -> None:
    recorded(tmp_path, life)

    with pytest.raises(Invalid, match="Name another directory"):
        recorded(tmp_path, [])


def test_a_recording_that_is_cut_off_leaves_none_and_is_made_anew(
    tmp_path: Path, life: list[KeyValue], monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = tmp_path / "corpus"
    killed = corpus / "unfinished-1" / EVENTS
    killed.mkdir(parents=True)
    (killed / "shard-0000.jsonl").write_text("half a li")
    with monkeypatch.context() as patched:
        patched.setattr("airside.recording._once", interrupted)
        with pytest.raises(KeyboardInterrupt):
            recorded(tmp_path, life)
    assert list(corpus.iterdir()) == []
    assert recorded(tmp_path, []) == life


def interrupted(*of_shard: object) -> Iterator[KeyValue]:
    """One record, and then somebody presses Ctrl-C."""
    yield b"a1", b"one"
    raise KeyboardInterrupt
