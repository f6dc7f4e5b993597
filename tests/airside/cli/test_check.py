"""`airside check` beside working roles, and after somebody has been at the engines."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from airside.adapters.redis_servers import connect
from airside.adapters.sqlite_log import SqliteLog
from airside.settings import Settings
from airside.wiring import Deployment, open_deployment
from projectors.generations import serving
from projectors.view_store import Generation
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC, shard_of
from tests.kit.cli import CATALOG, Shell, up

pytestmark = pytest.mark.engines

SHARD = shard_of("a1", 8)


@pytest.fixture(scope="module")
def lived(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a few events, and nobody at work on it."""
    data = tmp_path_factory.mktemp("lived") / "data"
    with up(data):
        live(Shell(data))
    return data


@pytest.fixture
def shell(lived: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A copy of it."""
    data = tmp_path_factory.mktemp("check") / "data"
    shutil.copytree(lived, data)
    return Shell(data)


def live(shell: Shell) -> None:
    """An account, a device and a license."""
    assert shell("catalog", "load", str(CATALOG)).code == 0
    shell.send("OpenAccount", "account_id=a1", "plan_id=standard", "country=DE")
    shell.send("RegisterDevice", "account_id=a1", "device_id=d1")
    sent = shell.send("AcquireLicense", "account_id=a1", "device_id=d1", "title_id=t1")
    assert shell.ask("timeline", "a1", "--min-version", sent["token"])["standing"]["fresh"]


@pytest.fixture
def deployment(shell: Shell) -> Iterator[Deployment]:
    with open_deployment(Settings(data=shell.data)) as deployment:
        yield deployment


def execute(shell: Shell, statement: str) -> None:
    path = Settings(data=shell.data).database
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def rows_key(deployment: Deployment) -> str:
    return f"airside:{{{devices(deployment).name}.{SHARD}}}:rows"


def devices(deployment: Deployment) -> Generation:
    with deployment.view_store() as views:
        return serving(views.registry("devices"))


def spoil(deployment: Deployment) -> bytes:
    """Write over a row in the server; what it was."""
    with connect(deployment.views_url(), timeout_seconds=5.0) as client:
        before: bytes = client.hget(rows_key(deployment), "a1")
        client.hset(rows_key(deployment), "a1", b'{"spoiled":true}')
        client.connection_pool.disconnect()
    return before


def row(deployment: Deployment) -> bytes | None:
    with deployment.view_store() as views:
        return views.rows(devices(deployment), SHARD, ["a1"]).rows["a1"]


def test_all_is_well_beside_working_roles(tmp_path_factory: pytest.TempPathFactory) -> None:
    shell = Shell(tmp_path_factory.mktemp("check") / "data")
    with up(shell.data):
        live(shell)
        people, programs = shell("check"), shell("check", "--json")
    assert (people.code, programs.code) == (0, 0)
    assert people.out.splitlines()[-1] == "all is well"
    told = programs.json
    assert (told["ok"], told["faults"]) == (True, [])
    assert {one["check"] for one in told["checks"]} == {
        "store", "index", "topic", "commands", "rows"
    }  # fmt: skip
    assert min(one["compared"] for one in told["checks"][:4]) > 0


def test_a_row_that_was_written_over_is_shown_and_healed_for_good(
    shell: Shell, deployment: Deployment
) -> None:
    before = spoil(deployment)
    checked = shell("check", "--only", "rows", "--shard", str(SHARD))
    assert checked.code == 5
    assert '{"spoiled":true}' in checked.out
    assert f"{devices(deployment).name}, row a1" in checked.out
    with up(shell.data):
        repaired = shell("check", "--repair")
        shell.send("RegisterDevice", "account_id=a1", "device_id=d2")
    assert repaired.code == 0
    assert "1 rows rewritten" in repaired.out
    assert shell("check").code == 0
    assert before != row(deployment)
    assert b"d2" in (row(deployment) or b"")


def test_a_record_that_is_gone_from_the_topic_is_published_again(shell: Shell) -> None:
    number = f"SELECT number FROM log_partitions WHERE topic = 'events' AND partition = {SHARD}"
    execute(shell, f"DELETE FROM log_blocks WHERE id >> 40 = ({number}) AND id % 2 = 1")
    checked = shell("check", "--only", "topic", "--json")
    assert checked.code == 5
    assert {one["what"] for one in checked.json["faults"]} == {
        "missing on the topic. --repair publishes it."
    }
    repaired = shell("check", "--only", "topic", "--repair", "--json")
    assert repaired.code == 0
    assert len(repaired.json["repaired"]) == 1


def test_a_stray_record_is_named_and_cannot_be_repaired(
    shell: Shell, deployment: Deployment
) -> None:
    with deployment.log() as topics:
        offset = topics.append(EVENTS_TOPIC, SHARD, [(b"a1", b"stray")])
    repaired = shell("check", "--repair")
    assert repaired.code == 5
    assert f"offset {offset}" in repaired.out
    assert repaired.out.splitlines()[-1] == "faults: 1"


def test_a_deleted_event_is_named_wherever_it_is_missed(shell: Shell) -> None:
    execute(shell, f"DELETE FROM events WHERE id = ({SHARD} << 40 | 2)")
    faults = shell("check", "--json").json["faults"]
    assert {one["check"] for one in faults} >= {"store", "topic", "commands", "rows"}
    assert ("store", "seq 2") in {(one["check"], one["place"]) for one in faults}


def test_a_lost_command_is_named(shell: Shell, deployment: Deployment) -> None:
    with closing(SqliteLog(Settings(data=shell.data).database, lambda: 0)) as log:
        end = log.append(COMMANDS_TOPIC, SHARD, [(b"a1", b"never taken")])
    execute(shell, f"UPDATE commits SET next_offset = {end + 1} WHERE shard = {SHARD}")
    (fault,) = shell("check", "--only", "commands", "--json").json["faults"]
    assert fault["place"] == f"offset {end}"
    assert fault["what"].startswith("neither parked nor discarded. UNREADABLE")


def test_a_shard_that_is_none_is_refused(shell: Shell) -> None:
    assert shell("check", "--shard", "8").code == 1
