"""`airside simulate` as people run it, on the embedded engines."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.kit.cli import CATALOG, Shell, up

COMMANDS = (
    {"type": "OpenAccount", "plan_id": "standard", "country": "DE"},
    {"type": "RegisterDevice", "device_id": "d1"},
    {"type": "RegisterDevice", "device_id": "d2"},
    {"type": "AcquireLicense", "device_id": "d1", "title_id": "t18"},
    {"type": "AcquireLicense", "device_id": "d2", "title_id": "t18"},
)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """An account with two downloads of a title; nobody is at work any more."""
    folder = tmp_path_factory.mktemp("simulate")
    shell, file = Shell(folder / "data"), folder / "commands.jsonl"
    file.write_text("\n".join(json.dumps(one | {"account_id": "a1"}) for one in COMMANDS))
    with up(shell.data):
        assert shell("catalog", "load", str(CATALOG)).code == 0
        assert shell("send", "--file", str(file), "--wait").code == 0
    return shell


def policy(folder: Path, text: str) -> str:
    file = folder / "policy.json"
    file.write_text(text)
    return str(file)


def dump(shell: Shell) -> list[str]:
    """Everything that is stored."""
    with closing(sqlite3.connect(shell.settings.database)) as database:
        return list(database.iterdump())


@pytest.mark.engines
def test_a_tighter_limit_is_told_with_the_decision_that_differs(
    shell: Shell, tmp_path: Path
) -> None:
    before = dump(shell)
    tighter = policy(tmp_path, '{"policies": {"standard": {"title.max_downloads": 1}}}')

    ran = shell("simulate", "--policy", tighter, "--account", "a1")

    assert (ran.code, ran.err.count("airside:")) == (0, 0)
    assert "accepted → refused" in ran.out
    assert "title.max_downloads_window_s 31536000 (not said)" in " ".join(ran.out.split())
    assert "write into it what is to stay" in ran.out
    assert "TITLE_PERIOD_LIMIT: The title was downloaded" in " ".join(ran.out.split())
    last = ran.out.splitlines()[-1]
    assert last.endswith(
        "of 5 decisions would differ, in 1 of 1 accounts compared; looked at 1"
    )
    assert dump(shell) == before, "something was written"


@pytest.mark.engines
def test_the_policies_in_force_change_nothing(shell: Shell) -> None:
    found = shell("simulate", "--policy", str(CATALOG), "--json").json

    assert (found["decisions"], found["same"], found["differences"]) == (5, 5, [])
    assert (found["accounts"], found["left_out"], found["keys"]) == (1, [], [])


@pytest.mark.engines
def test_bad_input_says_what_to_do(shell: Shell, tmp_path: Path) -> None:
    unknown = policy(tmp_path, '{"policies": {"standrad": {}}}')
    junk, faulty = tmp_path / "junk", tmp_path / "faulty"
    junk.mkdir()
    faulty.mkdir()
    wrong = policy(faulty, '{"policies": {"standard": {"title.max_downloads": -1}}}')
    runs = [
        shell("simulate", "--policy", str(CATALOG), "--account", "zz"),
        shell("simulate", "--policy", str(CATALOG), "--account", "a1", "--sample", "3"),
        shell("simulate", "--policy", unknown),
        shell("simulate", "--policy", policy(junk, "no policy")),
        shell("simulate", "--policy", wrong),
    ]

    assert [ran.code for ran in runs] == [1, 2, 2, 2, 2]
    said = (
        "Check the id",
        "choose one",
        f"{unknown}: policies.standrad: the catalog in use has no policy 'standrad', did you "
        "mean 'standard'",
        "junk/policy.json: line 1, column 1: not JSON",
        f"{wrong}: The catalog has 1 fault, nothing was changed:\nline 1: policies.standard."
        "title.max_downloads: must be a whole number from 0 to 1000000, or null for no limit",
    )
    assert [words in ran.err for words, ran in zip(said, runs, strict=True)] == [True] * 5
