"""Processes die without a word; nothing is lost and nothing is doubled."""

import json
import random
import subprocess
import time
from pathlib import Path
from signal import SIGKILL

import pytest

from airside.settings import Settings
from airside.wiring import open_deployment
from tests.kit.cli import AIRSIDE, CATALOG, Shell, environment, up
from tests.kit.dying_up import PROGRAM
from tests.kit.laws import COUNT_MAX, check_all

pytestmark = [pytest.mark.engines, pytest.mark.timeout(180)]

ACCOUNTS = 60
TRAPS = ("1 before", "1 after", "3 before", "3 after")
MANY, SOME = 12_000, 5_000  # acquisitions


def write_commands(file: Path, *, seed: int, acquisitions: int) -> int:
    """Accounts that open, register and acquire over and over; every fifth line twice."""
    chance = random.Random(seed)
    accounts = [f"k{n}" for n in range(ACCOUNTS)]
    lines = [
        {"type": "OpenAccount", "account_id": a, "plan_id": "premium", "country": "DE"}
        for a in accounts
    ]
    lines += [{"type": "RegisterDevice", "account_id": a, "device_id": "d1"} for a in accounts]
    for _ in range(acquisitions):
        lines.append(
            {
                "type": "AcquireLicense",
                "account_id": chance.choice(accounts),
                "device_id": "d1",
                "title_id": f"t{chance.randint(1, 60)}",
            }
        )
    for number, line in enumerate(lines):
        line["command_id"] = f"{seed:08x}{number:024x}"
    repeated = [
        copy for line in lines for copy in ([line, line] if is_repeated(line) else [line])
    ]
    file.write_text("\n".join(json.dumps(line) for line in repeated))
    return len(lines)


def is_repeated(line: dict[str, str]) -> bool:
    return int(line["command_id"], 16) % 5 == 0


def kill_up_while_it_works(shell: Shell, trap: str) -> None:
    """Start everything; it kills itself at one of its first commits, as the trap says."""
    done = subprocess.run(
        [*PROGRAM, "up"],
        stderr=subprocess.DEVNULL,
        env=shell.environment | {"TRAP": trap},
        timeout=120,
        check=False,
    )
    assert done.returncode == -SIGKILL


def committed(data: Path) -> int:
    """How many events there are."""
    with open_deployment(Settings(data=data)) as deployment, deployment.event_store() as store:
        return sum(
            len(store.read(shard, after_seq=0, count_max=COUNT_MAX))
            for shard in range(deployment.shards)
        )


def test_up_is_killed_again_and_again_and_every_command_has_one_outcome(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "commands.jsonl"
    shell = Shell(data)
    distinct = write_commands(file, seed=1, acquisitions=MANY)
    assert shell("catalog", "load", str(CATALOG)).code == 0
    assert shell("send", "--file", str(file)).code == 0
    for trap in TRAPS:
        kill_up_while_it_works(shell, trap)
    assert 0 < committed(data) < distinct, "it was to be killed in the middle"
    with up(data):
        again = shell("send", "--file", str(file), "--wait", "--timeout", "60", "--json").json
        assert again["without_outcome"] == 0
        assert sum(again["outcomes"].values()) == distinct
    with open_deployment(Settings(data=data)) as deployment:
        assert check_all(deployment) >= distinct


def test_two_that_run_at_once_leave_one_history(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "commands.jsonl"
    shell = Shell(data)
    distinct = write_commands(file, seed=2, acquisitions=SOME)
    assert shell("catalog", "load", str(CATALOG)).code == 0
    with up(data), up(data):
        sent = shell("send", "--file", str(file), "--wait", "--timeout", "60", "--json").json
        assert sent["without_outcome"] == 0
        assert sum(sent["outcomes"].values()) == distinct
    with open_deployment(Settings(data=data)) as deployment:
        assert check_all(deployment) >= distinct


def test_a_killed_replay_goes_on_where_it_was(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "commands.jsonl"
    shell = Shell(data)
    write_commands(file, seed=3, acquisitions=SOME)
    assert shell("catalog", "load", str(CATALOG)).code == 0
    with up(data):
        assert shell("send", "--file", str(file), "--wait", "--timeout", "60").code in (0, 3)
        replay = subprocess.Popen(
            [*AIRSIDE, "--data", str(data), "replay", "timeline"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        time.sleep(0.7)
        replay.kill()
        replay.wait()
        again = shell("replay", "timeline")
        assert again.code == 0
        assert again.out.splitlines()[-1].endswith(" 0 different")
