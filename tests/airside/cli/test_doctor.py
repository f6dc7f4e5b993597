"""`airside doctor`, as people run it on the embedded engines."""

from pathlib import Path

import pytest

from airside.settings import Settings
from airside.wiring import open_deployment
from stack.ports import free_ports
from tests.kit.cli import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """On a data directory that is laid out."""
    with open_deployment(Settings(data=tmp_path / "data")):
        return Shell(tmp_path / "data")


@pytest.mark.engines
def test_embedded_engines_are_well_and_the_exit_code_says_so(shell: Shell) -> None:
    ran = shell("doctor")
    assert ran.code == 0, ran.err
    assert "SQLite" in ran.out
    assert "append-only file" in ran.out
    assert ran.out.splitlines()[-1] == "Nothing to mend, 0 to look at."


@pytest.mark.engines
def test_programs_get_every_finding_as_json(shell: Shell) -> None:
    answer = shell("doctor", "--json").json
    assert (answer["mend"], answer["look"]) == (0, 0)
    assert {one["engine"] for one in answer["findings"]} == {
        "event store", "log", "read models", "layout",
    }  # fmt: skip
    assert answer["findings"][0].keys() == {"engine", "what", "found", "verdict", "advice"}


def test_an_engine_that_is_away_exits_1_and_the_others_are_examined(shell: Shell) -> None:
    port = free_ports(1)[0]
    ran = shell("--views", f"redis://127.0.0.1:{port}/0", "doctor")
    assert ran.code == 1
    assert "SQLite" in ran.out
    assert f"mend: read models, reached: the view store at 127.0.0.1:{port}" in ran.out
    assert ran.out.splitlines()[-1] == "1 to mend, 0 to look at."


def test_an_address_that_is_none_is_a_finding_and_hides_no_other(shell: Shell) -> None:
    events, views = free_ports(2)
    ran = shell(
        *("--events", f"cassandra://127.0.0.1:{events}/k"),
        *("--log", "http://nowhere"),
        *("--views", f"redis://127.0.0.1:{views}/0"),
        "doctor",
    )
    assert ran.code == 1
    assert "mend: log, usable: an address begins with kafka://" in ran.out
    assert "mend: read models, reached: " in ran.out


def test_a_file_that_is_broken_is_a_finding(shell: Shell) -> None:
    (shell.data / "airside.sqlite").write_bytes(b"no database at all, for sure" * 100)
    ran = shell("doctor")
    assert ran.code == 1
    assert "mend: data directory, usable: " in ran.out
    assert "file is not a database" in ran.out


def test_where_there_is_nothing_to_look_at_it_says_where_it_looked(tmp_path: Path) -> None:
    ran = Shell(tmp_path / "none")("doctor")
    assert ran.code == 1
    assert f"no data in {tmp_path / 'none'}" in ran.err
    assert not (tmp_path / "none").exists()


def test_engines_that_do_not_go_together_are_told(shell: Shell) -> None:
    ran = shell("--log", "kafka://127.0.0.1:1", "doctor")
    assert ran.code == 1
    assert "AIRSIDE_EVENTS and AIRSIDE_VIEWS not set, but AIRSIDE_LOG" in ran.out
