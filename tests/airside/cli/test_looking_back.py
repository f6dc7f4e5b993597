"""`airside replay --as-of … --into …`, and `airside query … --generation …` behind it."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from airside.adapters.redis_servers import connect
from airside.cli.main import main
from airside.cli.scratch import Instant
from airside.wiring import open_deployment
from tests.kit.cli import CATALOG, Shell, up

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def past(engine: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A data directory with a license and then one more; and an instant between them, in ms."""
    data = tmp_path_factory.mktemp("past") / "data"
    shell = Shell(data)
    with up(data):
        assert shell("catalog", "load", str(CATALOG)).code == 0
        shell.send("OpenAccount", "account_id=a1", "plan_id=standard", "country=DE")
        shell.send("RegisterDevice", "account_id=a1", "device_id=d1")
        first = acquire(shell, "t1")
        between = instant_after(first)
        second = acquire(shell, "t2")
        assert shell.ask("licenses", "a1", "--min-version", second["token"])["standing"][
            "fresh"
        ]
        for verb in ("downloads", "timeline"):
            assert shell.ask(verb, "a1", "--min-version", second["token"])["standing"]["fresh"]
    return data, between


def acquire(shell: Shell, title_id: str) -> Any:
    return shell.send("AcquireLicense", "account_id=a1", "device_id=d1", f"title_id={title_id}")


def instant_after(sent: Any) -> int:
    """An instant that is over, and later than all that was decided."""
    now_at = time.time_ns() // 1_000_000 + 1
    assert sent["token"]
    while time.time_ns() // 1_000_000 <= now_at + 1:
        time.sleep(0.001)
    return now_at


@pytest.fixture
def shell(past: tuple[Path, int], tmp_path: Path) -> Shell:
    """A copy of it, with nobody at work."""
    shutil.copytree(past[0], tmp_path / "data")
    return Shell(tmp_path / "data")


@pytest.fixture
def between(past: tuple[Path, int]) -> str:
    """The instant, as one types it."""
    return datetime.fromtimestamp(past[1] / 1_000, UTC).isoformat(timespec="milliseconds")


def replay(shell: Shell, projection: str, *words: str) -> Any:
    """A look back; what it says as JSON."""
    ran = shell("replay", projection, *words, "--json")
    assert ran.code == 0, ran.err
    return ran.json


def ask(shell: Shell, verb: str, generation: str = "scratch") -> Any:
    return shell.ask(verb, "a1", "--generation", generation)


@pytest.mark.parametrize("source", ["topic", "store"])
def test_a_read_model_is_asked_as_it_was(
    shell: Shell, past: tuple[Path, int], between: str, source: str
) -> None:
    words = ["--as-of", between, "--into", "scratch", "--from", source]
    built = replay(shell, "downloads", *words)
    assert (built["name"], built["as_of"], built["rows"]) == ("downloads@scratch", past[1], 1)
    then, now = ask(shell, "downloads"), shell.ask("downloads", "a1")
    assert [t["title_id"] for t in then["titles"]] == ["t1"]
    assert [t["title_id"] for t in now["titles"]] == ["t1", "t2"]
    assert (then["standing"]["generation"], then["standing"]["as_of"]) == (
        "downloads@scratch",
        past[1],
    )


def test_what_is_derived_from_the_time_is_told_as_of_then(
    shell: Shell, past: tuple[Path, int], between: str
) -> None:
    replay(shell, "licenses", "--as-of", between, "--into", "scratch")
    (license_then,) = ask(shell, "licenses")["licenses"]
    assert ask(shell, "licenses")["at"] == past[1]
    left_ms = license_then["expires_at"] - past[1]
    assert (license_then["state"], license_then["expires_in_s"]) == ("ACTIVE", left_ms // 1_000)


def test_without_an_instant_it_is_as_of_now_and_a_table_says_so(shell: Shell) -> None:
    ran = shell("replay", "timeline", "--into", "today")
    assert ran.code == 0
    assert "timeline@today is timeline as of" in ran.out
    assert len(ask(shell, "timeline", "today")["entries"]) == len(
        shell.ask("timeline", "a1")["entries"]
    )
    assert "@today" in shell("projections").out


def test_the_number_of_a_generation_is_as_good_as_its_label(shell: Shell, between: str) -> None:
    built = replay(shell, "downloads", "--as-of", between, "--into", "scratch")
    number = str(built["generation"]["number"])
    assert ask(shell, "downloads", number) == ask(shell, "downloads", "scratch")


def test_projectors_and_a_replay_leave_it_as_it_was(shell: Shell, between: str) -> None:
    replay(shell, "downloads", "--as-of", between, "--into", "scratch")
    then = ask(shell, "downloads")
    with up(shell.data):
        sent = acquire(shell, "t3")
        assert shell.ask("downloads", "a1", "--min-version", sent["token"])["standing"]["fresh"]
        assert shell("replay", "downloads").code == 0
        assert ask(shell, "downloads") == then
    assert len(shell.ask("downloads", "a1")["titles"]) == 3


def test_a_label_that_is_taken_is_kept_unless_it_is_to_be_replaced(
    shell: Shell, between: str
) -> None:
    replay(shell, "downloads", "--as-of", between, "--into", "scratch")
    taken = shell("replay", "downloads", "--as-of", "2026-01-01T00:00:00Z", "--into", "scratch")
    assert (taken.code, "--replace" in taken.err) == (2, True)
    again = replay(shell, "downloads", "--as-of", between, "--into", "scratch")
    words = ["--as-of", "2020-01-01T00:00:00Z", "--into", "scratch", "--replace"]
    other = replay(shell, "downloads", *words)
    assert again["events"] > other["events"] == 0
    assert shell("query", "downloads", "a1", "--generation", "scratch").code == 1


def test_it_is_not_whole_before_the_commands_of_then_are_handled_and_the_same_goes_on(
    shell: Shell,
) -> None:
    shell("send", "AcquireLicense", "account_id=a1", "device_id=d1", "title_id=t3")
    words = ["--as-of", datetime.now(UTC).isoformat(timespec="milliseconds"), "--into", "late"]
    said = shell("replay", "downloads", *words)
    early = replay(shell, "downloads", *words)
    refused = shell("query", "downloads", "a1", "--generation", "late")
    assert (said.code, "commands of then wait for a handler" in said.out) == (0, True)
    assert f"airside replay downloads {' '.join(words)}" in said.out
    assert (early["whole"], len(early["open_shards"])) == (False, 1)
    assert (refused.code, "is not whole yet" in refused.err) == (1, True)
    with up(shell.data):
        acquire(shell, "t4")
    whole, again = replay(shell, "downloads", *words), replay(shell, "downloads", *words)
    assert (whole["whole"], whole["open_shards"], again) == (True, [], whole)
    titles = [title["title_id"] for title in ask(shell, "downloads", "late")["titles"]]
    assert (titles, whole["events"] > early["events"]) == (["t1", "t2", "t3"], True)


def test_what_was_begun_without_an_instant_goes_on_to_the_one_it_began_with(
    shell: Shell,
) -> None:
    shell("send", "AcquireLicense", "account_id=a1", "device_id=d1", "title_id=t3")
    early = replay(shell, "downloads", "--into", "today")
    listed = shell("projections").out
    with up(shell.data):
        acquire(shell, "t4")
    whole = replay(shell, "downloads", "--into", "today")
    taken = shell("replay", "downloads", "--into", "today")
    assert (early["whole"], whole["whole"], whole["as_of"]) == (False, True, early["as_of"])
    assert f"Go on: airside replay downloads --as-of {isoformat(early['as_of'])}" in listed
    assert (taken.code, "is there already" in taken.err) == (2, True)
    titles = [title["title_id"] for title in ask(shell, "downloads", "today")["titles"]]
    assert titles == ["t1", "t2", "t3"]


def isoformat(at: int) -> str:
    """An instant as it is typed."""
    return datetime.fromtimestamp(at / 1_000, UTC).isoformat(timespec="milliseconds")


def test_it_is_retired_by_its_label_and_gone_from_the_server(
    shell: Shell, between: str
) -> None:
    built = replay(shell, "downloads", "--as-of", between, "--into", "scratch")
    assert keys(shell, built["generation"]["number"])
    assert (
        "downloads@scratch is retired"
        in shell("projections", "retire", "downloads", "scratch").out
    )
    assert keys(shell, built["generation"]["number"]) == []
    gone = shell("query", "downloads", "a1", "--generation", "scratch")
    assert (gone.code, "There is: 1 (serving)" in gone.err) == (1, True)


def keys(shell: Shell, number: int) -> list[bytes]:
    """What the server has of a generation."""
    with (
        open_deployment(shell.settings) as deployment,
        connect(deployment.views_url(), timeout_seconds=5.0) as client,
    ):
        found: list[bytes] = client.keys(f"airside:{{downloads.{number}.*")
        client.connection_pool.disconnect()
    return found


def test_it_is_never_served(shell: Shell, between: str) -> None:
    built = replay(shell, "downloads", "--as-of", between, "--into", "scratch")
    number = str(built["generation"]["number"])
    ran = shell("projections", "promote", "downloads", number, "--accept")
    assert (ran.code, "it is not served" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--into", "7"], "letters, digits"),
        (["--as-of", "2026-11-01T00:00:00Z"], "go with --into"),
        (["--as-of", "2026-11-01T00:00:00", "--into", "x"], "has no zone"),
        (["--as-of", "yesterday", "--into", "x"], "is no instant"),
        (["--as-of", "2099-01-01T00:00:00Z", "--into", "x"], "yet to come"),
        (["--into", "x", "--no-promote"], "--into does not go with --no-promote"),
    ],
)
def test_what_has_no_meaning_is_refused_with_the_next_step(
    past: tuple[Path, int], words: list[str], said: str
) -> None:
    ran = CliRunner().invoke(main, ["--data", str(past[0]), "replay", "downloads", *words])
    assert (ran.exit_code, said in ran.output) == (2, True), ran.output


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-01T00:00:00Z", 1_793_491_200_000),
        ("2026-11-01T01:00:00.123+01:00", 1_793_491_200_123),
        ("2026-11-01 00:00:00.0019Z", 1_793_491_200_001),
    ],
)
def test_an_instant_is_exact_in_milliseconds(text: str, at: int) -> None:
    assert Instant().convert(text, None, None) == at
