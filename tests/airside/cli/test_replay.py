"""What `airside replay` says of what it came to."""

import pytest

from airside.cli.replay import show
from projectors.replay import Replayed
from projectors.verification import Verification
from projectors.view_store import Generation

LIVE, REBUILT = Generation("titles", 1, "f1", 0), Generation("titles", 2, "f2", 0)


def told(
    capsys: pytest.CaptureFixture[str], different: int, refused: str = "", *, other: bool
) -> tuple[list[str], str]:
    """The lines of the answer, and what went to the error channel."""
    found = Verification(rows=1_200, different=different)
    show(Replayed(LIVE, REBUILT, found, not refused, other, 9, (), refused))
    shown = capsys.readouterr()
    return shown.out.splitlines(), shown.err


def test_the_last_line_says_that_nothing_differs(capsys: pytest.CaptureFixture[str]) -> None:
    lines, _ = told(capsys, 0, other=True)
    assert lines[-1] == "rebuilt equals live: 1,200 rows, 0 different"
    assert "expected" not in "".join(lines)


def test_rows_that_differ_are_never_called_equal(capsys: pytest.CaptureFixture[str]) -> None:
    lines, _ = told(capsys, 3, other=True)
    assert "3 rows differ, as expected of other code." in lines
    assert "titles.2 is served now, with 9 events." in lines
    assert lines[-1] == "rebuilt differs from live: 1,200 rows, 3 different"


def test_a_refusal_says_why_and_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    _, errors = told(capsys, 3, "it parked 2 events", other=True)
    assert "titles.2 is not served: it parked 2 events." in errors
    assert "airside replay titles --accept" in errors
