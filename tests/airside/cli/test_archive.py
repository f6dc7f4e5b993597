"""`airside archive` beside working roles on the real engines; and what it says elsewhere."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fastavro
import pytest

from airside.cli.archive import Before
from airside.settings import Settings
from airside.wiring import open_deployment
from stack.cassandra import CassandraNode
from stack.kafka import KafkaBroker
from stack.valkey import ValkeyServer
from tests.kit.cli import Shell, at_work
from tests.kit.engines import on_engines, running

ROLES = ("handle", "project")
NOW = "0h"


@pytest.fixture
def embedded(tmp_path: Path) -> Shell:
    with open_deployment(Settings(data=tmp_path / "data")):
        return Shell(tmp_path / "data")


@pytest.fixture(scope="module")
def shell(
    cassandra: CassandraNode, kafka: KafkaBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    directory = tmp_path_factory.mktemp("archive")
    with running(ValkeyServer(directory / "valkey")) as views:
        shell = on_engines(
            directory / "data",
            events=f"cassandra://{cassandra.address}",
            log=kafka.url,
            views=views.url,
        )
        yield replace(shell, archive=directory / "archive")


def live(shell: Shell, account_id: str) -> None:
    """An account with a device that takes, renews and gives back a license."""
    account, device = f"account_id={account_id}", "device_id=d1"
    shell.send("OpenAccount", account, "plan_id=standard", "country=DE")
    shell.send("RegisterDevice", account, device)
    shell.send("AcquireLicense", account, device, "title_id=t1")
    token = shell.send("AcquireLicense", account, device, "title_id=t2")["token"]
    assert shell.ask("timeline", account_id, "--min-version", token)["standing"]["fresh"]


def archived(shell: Shell, before: str = NOW) -> int:
    ran = shell("archive", "--before", before, "--json")
    assert ran.code == 0, ran.err
    return sum(one["events"] for one in ran.json["shards"])


@pytest.mark.engines
@pytest.mark.timeout(300)
def test_a_life_goes_on_over_an_archive(shell: Shell) -> None:
    with at_work(shell, *ROLES):
        live(shell, "a1")
        live(shell, "a2")
        assert archived(shell, "1h") == 0
        assert archived(shell) > 0
        told = shell.send("AcquireLicense", "account_id=a1", "device_id=d1", "title_id=t3")
        assert told["outcome"]["status"] == "accepted"
    with at_work(shell, *ROLES):  # whose memory is empty
        told = shell.send("AcquireLicense", "account_id=a2", "device_id=d1", "title_id=t3")
        assert told["outcome"]["status"] == "accepted"
        live(shell, "a3")
    files = sorted(shell.settings.archive.rglob("*.avro"))  # type: ignore[union-attr]
    with files[0].open("rb") as file:
        assert next(fastavro.reader(file))["number"] == 1  # type: ignore[call-overload, index]
    checked = shell("check", "--json")
    assert (checked.code, checked.json["faults"]) == (0, []), checked.err
    replayed = shell("replay", "downloads")
    assert replayed.code == 0, replayed.err
    without = replace(shell, archive=None)("check")
    assert without.code == 1
    assert "AIRSIDE_ARCHIVE" in without.err


@pytest.mark.engines
def test_people_get_a_table_and_a_sum(shell: Shell) -> None:
    ran = shell("archive", "--before", "2020-01-31", "--shard", "0")
    assert ran.code == 0, ran.err
    assert "Archived what is older than 2020-01-31 00:00:00 UTC" in ran.out
    assert ran.out.splitlines()[-1] == "archived 0 events in 0 files"


@pytest.mark.engines
def test_a_shard_that_is_none_is_said_so(shell: Shell) -> None:
    ran = shell("archive", "--before", NOW, "--shard", "4")
    assert ran.code == 1
    assert "there are shards 0 to 3" in ran.err


@pytest.mark.engines
def test_without_an_archive_it_names_the_setting(shell: Shell) -> None:
    ran = replace(shell, archive=None)("archive", "--before", NOW)
    assert ran.code == 2
    assert "Name a directory with AIRSIDE_ARCHIVE or --archive" in ran.err


def test_a_sqlite_event_store_is_its_own_archive(embedded: Shell, tmp_path: Path) -> None:
    ran = replace(embedded, archive=tmp_path / "archive")("archive", "--before", "90d")
    assert ran.code == 2
    assert "the event store is a SQLite file, which is its own archive" in ran.err
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize("before", ["yesterday", "90", "-3d", "2026-01-31T12:00:00", "13x"])
def test_a_time_that_is_none_is_refused_with_examples(embedded: Shell, before: str) -> None:
    ran = embedded("archive", f"--before={before}")
    assert ran.code == 2
    assert "2026-01-31T12:00:00Z" in ran.err
    assert "90d" in ran.err


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("2026-01-31", 1_769_817_600_000),
        ("2026-01-31T12:00:00Z", 1_769_860_800_000),
        ("2026-01-31T12:00:00+01:00", 1_769_857_200_000),
    ],
)
def test_a_date_begins_in_utc_and_an_instant_where_it_says(before: str, found: int) -> None:
    assert Before().convert(before, None, None) == found
