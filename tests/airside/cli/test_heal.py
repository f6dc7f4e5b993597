"""`airside replay NAME --account ID`, `--partition N`: on a real server, beside projectors."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from airside.adapters.redis_servers import connect
from airside.cli.main import main
from airside.wiring import open_deployment
from projectors.generations import serving
from schemas.record import shard_of
from tests.kit.cli import CATALOG, Shell, up

pytestmark = pytest.mark.engines

SHARD = shard_of("a1", 8)
WRONG = b'{"spoiled":true}'


@pytest.fixture(scope="module")
def lived(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a few events, and nobody at work on it."""
    data = tmp_path_factory.mktemp("lived") / "data"
    shell = Shell(data)
    with up(data):
        assert shell("catalog", "load", str(CATALOG)).code == 0
        shell.send("OpenAccount", "account_id=a1", "plan_id=standard", "country=DE")
        sent = shell.send("RegisterDevice", "account_id=a1", "device_id=d1")
        assert shell.ask("devices", "a1", "--min-version", sent["token"])["standing"]["fresh"]
    return data


@pytest.fixture
def shell(lived: Path, tmp_path: Path) -> Shell:
    """A copy of it."""
    shutil.copytree(lived, tmp_path / "data")
    return Shell(tmp_path / "data")


def spoil(shell: Shell, key: str) -> None:
    """A row of `devices` is written over in the server."""
    with (
        open_deployment(shell.settings) as deployment,
        deployment.view_store() as views,
        connect(deployment.views_url(), timeout_seconds=5.0) as client,
    ):
        served = serving(views.registry("devices"))
        client.hset(f"airside:{{{served.key}.{SHARD}}}:rows", key, WRONG)
        client.connection_pool.disconnect()


def rows(shell: Shell) -> dict[str, bytes | None]:
    """What is served of the shard."""
    with open_deployment(shell.settings) as deployment, deployment.view_store() as views:
        served = serving(views.registry("devices"))
        return dict(views.rows(served, SHARD, list(views.keys(served, SHARD))).rows)


def test_an_accounts_row_is_healed_under_its_projector_and_stays_right(shell: Shell) -> None:
    with up(shell.data):
        sent = shell.send("RegisterDevice", "account_id=a1", "device_id=d2")
        assert shell.ask("devices", "a1", "--min-version", sent["token"])["standing"]["fresh"]
        spoil(shell, "a1")  # its projector has the right row in memory
        healed = shell("replay", "devices", "--account", "a1")
        sent = shell.send("RegisterDevice", "account_id=a1", "device_id=d3")
        found = shell.ask("devices", "a1", "--min-version", sent["token"])
        checked = shell("check", "--only", "rows", "--shard", str(SHARD))
    assert healed.code == 0
    assert WRONG.decode() in healed.out
    assert healed.out.splitlines()[-1] == "1 row compared, 1 rewritten: these rows are right"
    assert [one["device_id"] for one in found["devices"]] == ["d1", "d2", "d3"]
    assert checked.code == 0, checked.out


def test_a_partition_loses_the_row_that_no_event_made(shell: Shell) -> None:
    before = rows(shell)
    spoil(shell, "nobody")
    healed = shell("replay", "devices", "--partition", str(SHARD), "--json")
    (row,) = healed.json["rows"]
    assert (healed.code, healed.json["ok"]) == (0, True)
    assert (row["row"], row["before"], row["after"]) == ("nobody", WRONG.decode(), None)
    assert rows(shell) == before


def test_an_account_that_is_unknown_is_said_with_the_next_step(shell: Shell) -> None:
    healed = shell("replay", "devices", "--account", "nobody")
    assert healed.code == 1
    assert "account nobody: unknown" in healed.err
    assert "--partition" in healed.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--account", "a1"], "Name a projection"),
        (["devices", "--account", "a1", "--partition", "1"], "either --account or --partition"),
        (["devices", "--account", "a1", "--accept"], "--account does not go with --accept"),
        (["devices", "--partition", "1", "--into", "x"], "does not go with --into"),
        (["devices", "--partition", "-1"], "not in the range"),
    ],
)
def test_what_has_no_meaning_is_refused(words: list[str], said: str, tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["--data", str(tmp_path), "replay", *words])
    assert (ran.exit_code, said in ran.output) == (2, True), ran.output
