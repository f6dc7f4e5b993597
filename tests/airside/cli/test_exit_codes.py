"""What is wrong decides the exit code, whichever verb it is said to.

1: it is well said, and what it names is not there. 2: it cannot be right; nothing was changed.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from airside.cli.main import main
from airside.wiring import open_deployment
from tests.kit.cli import CATALOG, Shell, up

pytestmark = pytest.mark.engines

AS_OF = "2026-01-01T00:00:00Z"
NO_COMMAND = "0" * 32
MISSING = "no-such-file"


@pytest.fixture(scope="module")
def data(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory with one account, and its read models served; nobody is at work."""
    shell = Shell(tmp_path_factory.mktemp("codes") / "data")
    with up(shell.data):
        assert shell("catalog", "load", str(CATALOG)).code == 0
        sent = shell.send("OpenAccount", "account_id=a1", "plan_id=standard", "country=DE")
        token = sent["token"]
        assert shell.ask("downloads", "a1", "--min-version", token)["standing"]["fresh"]
    with open_deployment(shell.settings) as deployment:
        assert deployment.views_url()
        yield shell.data


def code_of(data: Path, words: str) -> tuple[int, str]:
    """The exit code of a verb, and what it said."""
    elsewhere = dict.fromkeys(("AIRSIDE_EVENTS", "AIRSIDE_LOG", "AIRSIDE_VIEWS"))
    ran = CliRunner(env=elsewhere).invoke(main, ["--data", str(data), *words.split()])
    return ran.exit_code, ran.output


@pytest.mark.parametrize(
    "words",
    [
        "query downloads a9", "query licenses a9", "query devices a9", "query timeline a9",
        "query title t999", "query studio s999", f"query command {NO_COMMAND} --account a1",
        "query downloads a1 --generation 99", "query downloads a1 --generation past",
        "query downloads a1 --generation downloads.99", "query refusals --generation 99",
        "projections promote downloads", "projections promote downloads 99",
        "projections promote downloads past", "projections rollback downloads",
        "projections retire downloads", "projections retire downloads 99",
        "projections retire downloads past", "projections verify downloads --generation 99",
        "projections verify downloads --generation past",
        "projections verify downloads --shard 99", "check --shard 99",
        "replay downloads --account a9", "replay downloads --partition 99",
        f"simulate --policy {CATALOG} --account a9",
        "catalog show --plan nope", "catalog show --title t999",
        f"replay --dry-run --corpus {CATALOG.parent}",
    ],
)  # fmt: skip
def test_what_is_not_there_is_1_and_said_in_one_line(data: Path, words: str) -> None:
    code, said = code_of(data, words)
    assert code == 1, said
    told = [line for line in said.splitlines() if line.startswith("airside: ")]
    assert len(told) == 1, said


@pytest.mark.parametrize(
    "words",
    [
        "nope", "query nope", "send Nope", "send AcquireLicense", "send AcquireLicense x",
        f"send --file {MISSING}", f"send --file {CATALOG.parent}", f"catalog load {MISSING}",
        f"catalog load {__file__}", f"simulate --policy {MISSING}",
        f"simulate --policy {__file__}", f"replay --dry-run --corpus {MISSING}",
        "replay --dry-run", f"demo --catalog {MISSING}", f"demo --catalog {__file__}",
        f"query downloads {'a' * 129}", f"parked redrive {'a' * 129}",
        f"parked --account {'a' * 129}", f"replay downloads --account {'a' * 129}",
        f"simulate --policy {CATALOG} --account {'a' * 129}",
        "parked discard a1 first", "query command nope --account a1",
        "query licenses a1 --state x", "query timeline a1 --limit 0",
        "query expiring --within -5", "query downloads a1 --min-version x",
        "query downloads a1 --min-version 99:1", "query title t1 --min-version 99:1",
        "projections promote nope", "projections verify nope", "projections retire nope",
        "projections retire downloads 1", "projections verify --generation 1",
        "replay", "replay nope", "replay downloads --all", "replay downloads --from x",
        "replay downloads --processes 0", "replay downloads --max-lag -1",
        "replay downloads --partition -1", "replay --account a1",
        "replay downloads --into 7", "replay downloads --as-of x --into past",
        f"replay downloads --as-of {AS_OF}", "check --only x", "check --sample 0",
        "archive --before x", "archive --before 90d", "--shards 0 projections",
        "--shards 99 projections", "--views nope://x projections",
        "--events cassandra://x projections", f"--data {__file__} projections",
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_2_and_says_so(data: Path, words: str) -> None:
    code, said = code_of(data, words)
    assert code == 2, said
    assert "airside: " in said or "Error: " in said


def test_an_engine_that_is_away_is_1(data: Path) -> None:
    code, said = code_of(data, "--views redis://127.0.0.1:1/0 query downloads a1")
    assert (code, "Is the server up?" in said) == (1, True), said


@pytest.mark.parametrize("verb", ["query refusals", "projections", "replay downloads", "check"])
def test_where_no_data_are_is_1(tmp_path: Path, verb: str) -> None:
    code, said = code_of(tmp_path / "nowhere", verb)
    assert (code, "no data in" in said) == (1, True), said


@pytest.mark.parametrize("name", ["1", "downloads.1"])
def test_a_generation_is_called_by_its_number_or_as_it_is_shown(data: Path, name: str) -> None:
    code, said = code_of(data, f"query downloads a1 --generation {name}")
    assert (code, "downloads.1" in said) == (0, True), said
