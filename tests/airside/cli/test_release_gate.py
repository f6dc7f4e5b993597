"""The release gate: the installed code against what was approved."""

import json
import shutil
from pathlib import Path

import pytest

from airside.cli.release_gate import changes, gate
from tests.kit.cli import Shell
from tests.kit.corpus import FOLDER


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(FOLDER, tmp_path / "corpus")


def edited(corpus: Path, name: str, before: str, after: str) -> None:
    """Somebody approved other rows of a read model."""
    path = corpus / "approved" / f"{name}.jsonl"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_the_installed_code_makes_what_was_approved(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "no data")

    ran = shell("replay", "--dry-run", "--corpus", str(FOLDER))

    assert (ran.code, ran.err) == (0, ""), ran.out
    assert ran.out.splitlines()[-1].startswith("as approved: ")
    assert not shell.data.exists()


def test_a_row_that_differs_is_told_field_by_field(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(corpus, "titles", '"issued":', '"issued":1')

    assert gate(corpus) == 5

    said = capsys.readouterr().out
    assert said.splitlines()[-1].startswith("not as approved, rows that differ: 1. ")
    assert "issued" in said


def test_what_is_approved_differs_no_more(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(corpus, "titles", '"issued":', '"issued":1')
    codes = [gate(corpus, approving=True), gate(corpus)]

    assert codes == [0, 0]
    assert same(corpus), "it was the last approved result all the time"
    assert "approved, rows that differed: 1. " in capsys.readouterr().out


def same(corpus: Path) -> bool:
    """Whether it is as it is in the repository."""
    kept = {path.relative_to(FOLDER): path.read_bytes() for path in FOLDER.rglob("*.jsonl")}
    found = {path.relative_to(corpus): path.read_bytes() for path in corpus.rglob("*.jsonl")}
    return kept == found


def test_a_look_changes_no_file(corpus: Path) -> None:
    edited(corpus, "titles", '"issued":', '"issued":1')
    before = [path.read_bytes() for path in sorted(corpus.rglob("*.jsonl"))]

    gate(corpus)

    assert [path.read_bytes() for path in sorted(corpus.rglob("*.jsonl"))] == before


def test_one_read_model_is_looked_at_alone(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(corpus, "titles", '"issued":', '"issued":1')

    codes = [gate(corpus, ["downloads"], as_json=True), gate(corpus, ["titles"], as_json=True)]

    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert codes == [0, 5]
    assert [answer["ok"] for answer in answers] == [True, False]
    (difference,) = answers[1]["differences"]
    assert difference["approved"] != difference["now"]


def test_a_read_model_of_which_nothing_was_approved_is_not_as_approved(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (corpus / "approved" / "expiring.jsonl").unlink()

    codes = [gate(corpus), gate(corpus, approving=True), gate(corpus)]

    assert codes == [5, 0, 0]
    assert "expiring: nothing was approved yet" in capsys.readouterr().err


def test_a_read_model_that_is_no_more_has_to_be_approved_away(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = corpus / "approved" / "gone.jsonl"
    gone.write_text("")

    codes = [gate(corpus), gate(corpus, approving=True)]

    assert codes == [5, 0]
    assert not gone.exists()
    assert "gone: is no read model any more" in capsys.readouterr().err


def test_an_event_that_was_read_and_is_parked_now_is_a_difference(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = corpus / "events" / "shard-0001.jsonl"
    lines = first.read_text().splitlines()
    last = json.loads(lines[-1])
    last["record"] = last["record"][:4] + "00" * 8 + last["record"][20:]
    first.write_text("\n".join([*lines[:-1], json.dumps(last)]))

    assert gate(corpus, ["timeline"]) == 5
    assert "parked: UNREADABLE" in capsys.readouterr().out


def test_the_same_json_in_other_bytes_differs_too(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(corpus, "titles", '"version":', '"version": ')

    assert gate(corpus) == 5
    assert "its bytes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dry-run",), "--corpus is missing"),
        (("--dry-run", "--corpus", str(FOLDER), "--accept"), "--accept has no meaning"),
        (("titles", "--corpus", str(FOLDER)), "go with --dry-run"),
        (("titles", "--approve"), "go with --dry-run"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    ran = Shell(tmp_path / "no data")("replay", *words)

    assert ran.code == 2
    assert said in ran.err


def test_a_directory_that_is_no_corpus_is_refused(tmp_path: Path) -> None:
    ran = Shell(tmp_path / "no data")("replay", "--dry-run", "--corpus", str(tmp_path))

    assert ran.code == 1
    assert "Name a corpus" in ran.err


def test_changes_are_named_by_their_path() -> None:
    before = {"a": {"b": 1, "c": [1, 2]}, "d": True, "e": 0}
    after = {"a": {"b": 2, "c": [1, 3]}, "d": 1, "f": None, "e": 0}

    assert list(changes(before, after)) == [
        ("a.b", "1", "2"),
        ("a.c", "[1,2]", "[1,3]"),
        ("d", "true", "1"),
        ("f", "(not there)", "null"),
    ]
