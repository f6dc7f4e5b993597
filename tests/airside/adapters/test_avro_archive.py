"""Archive files: complete, readable with any Avro tool, checked whenever they are opened."""

import hashlib
import io
from pathlib import Path

import fastavro
import pytest
from msgspec.structs import replace

from airside.adapters import avro_archive
from airside.adapters.avro_archive import AvroArchive
from airside.archive import ArchiveFile
from commands.event_store import Commit
from schemas.errors import Hole, Unavailable
from tests.contracts.event_store import Author, parked

HISTORY = "0123456789abcdef"


def commits_of(shard: int = 3) -> list[Commit]:
    """Four commits: of events, of none, of a parked record, and of one that handles it."""
    author = Author(shard=shard)
    return [
        author.commit("a", "b", "a"),
        author.commit(),
        author.commit(parked=(parked(7), parked(8, reason="BEHIND: offset 7"))),
        author.commit("c", "a", settled=2, unparked=(7,)),
    ]


@pytest.fixture
def archive(tmp_path: Path) -> AvroArchive:
    return AvroArchive(tmp_path / "archive")


def reopened(archive: AvroArchive) -> AvroArchive:
    return AvroArchive(archive.directory)


def test_everything_that_the_commits_had_is_read_back(archive: AvroArchive) -> None:
    commits = commits_of()
    file = archive.write(HISTORY, commits)
    assert list(reopened(archive).commits(file).values()) == commits
    assert list(reopened(archive).commits(file)) == [1, 2, 3, 4]


def test_a_file_says_what_it_holds(archive: AvroArchive) -> None:
    file = archive.write(HISTORY, commits_of())
    path = f"{HISTORY}/shard-0003/commits-000000000001-000000000004.avro"
    digest = hashlib.sha256((archive.directory / path).read_bytes()).hexdigest()
    assert file == ArchiveFile(3, 1, 4, 1, 5, 5, path, digest)
    assert [file.holds(number) for number in range(6)] == [False, *[True] * 4, False]


def test_the_events_of_an_account_come_by_version(archive: AvroArchive) -> None:
    file = archive.write(HISTORY, commits_of())
    events = reopened(archive).events(file, "a")
    assert [(event.version, event.seq) for event in events] == [(1, 1), (2, 3), (3, 5)]
    assert reopened(archive).events(file, "nobody") == ()


def test_any_avro_tool_reads_it_and_is_told_what_it_is_of(archive: AvroArchive) -> None:
    file = archive.write(HISTORY, commits_of())
    data = (archive.directory / file.file).read_bytes()
    reader = fastavro.reader(io.BytesIO(data))
    first, *_ = list(reader)
    assert reader.codec == "deflate"
    assert reader.metadata["airside.history"] == HISTORY
    assert reader.metadata["airside.shard"] == "3"
    assert isinstance(first, dict)
    assert first["events"][0] == {"account_id": "a", "version": 1, "data": b"a 1"}


def test_the_same_commits_may_be_written_again(archive: AvroArchive) -> None:
    commits = commits_of()
    archive.write(HISTORY, commits)
    file = archive.write(HISTORY, commits)
    assert list(reopened(archive).commits(file).values()) == commits
    assert len(list((archive.directory / HISTORY / "shard-0003").glob("*"))) == 1


def test_shards_and_histories_do_not_mix(archive: AvroArchive) -> None:
    files = [
        archive.write(history, commits_of(shard))
        for history in (HISTORY, "another")
        for shard in (3, 4)
    ]
    assert len({file.file for file in files}) == 4
    assert [archive.commits(file)[1].shard for file in files] == [3, 4, 3, 4]


def test_a_missing_file_is_a_hole_that_names_it(archive: AvroArchive) -> None:
    file = archive.write(HISTORY, commits_of())
    (archive.directory / file.file).unlink()
    told = rf"shard 3, commits 1 to 4 are archived, and .*{file.file} cannot be read: No such"
    with pytest.raises(Hole, match=told):
        reopened(archive).commits(file)


@pytest.mark.parametrize("at", [0, 300, -1])
def test_a_file_with_one_other_byte_is_a_hole_that_names_it(
    archive: AvroArchive, at: int
) -> None:
    file = archive.write(HISTORY, commits_of())
    path = archive.directory / file.file
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(Hole, match=f"{file.file} is not as it was written"):
        reopened(archive).events(file, "a")


def test_a_file_that_was_read_is_not_read_again(
    archive: AvroArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avro_archive, "FILES_MAX", 1)
    first = archive.write(HISTORY, commits_of())
    second = archive.write(HISTORY, [replace(commit, shard=4) for commit in commits_of()])
    archive.commits(first)
    (archive.directory / first.file).unlink()
    assert len(archive.commits(first)) == 4
    archive.commits(second)  # takes its place
    with pytest.raises(Hole):
        archive.commits(first)


def test_a_directory_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("a file is in the way")
    with pytest.raises(Unavailable, match=r"shard-0003 cannot be written: Not a directory\."):
        AvroArchive(tmp_path / "archive").write(HISTORY, commits_of())


def test_a_shard_is_held_by_one_at_a_time(archive: AvroArchive) -> None:
    other = reopened(archive)
    with (
        archive.exclusive(HISTORY, 3),
        other.exclusive(HISTORY, 4),
        pytest.raises(Unavailable, match="another airside archive is at work here"),
        other.exclusive(HISTORY, 3),
    ):
        raise AssertionError("two hold it")
    with other.exclusive(HISTORY, 3):
        assert (archive.directory / HISTORY / "shard-0003").is_dir()


def test_what_goes_wrong_while_it_is_held_is_not_blamed_on_the_directory(
    archive: AvroArchive,
) -> None:
    with pytest.raises(ConnectionError), archive.exclusive(HISTORY, 3):
        raise ConnectionError("another matter")
