"""Tables lose nothing, whatever stands in them and however narrow the terminal is."""

from io import StringIO

import pytest
from rich.console import Console

from airside.cli import output
from airside.cli.output import readable, show_table

Capture = pytest.CaptureFixture[str]

ROWS = [("downloads", 204_004, 48_213, "2026-11-24 08:08:24", "a" * 40)]
COLUMNS = ["projection", "version", "rows", "as of (UTC)", "fingerprint"]


def shown(monkeypatch: pytest.MonkeyPatch, capsys: Capture, width: int) -> str:
    out = StringIO()
    made = Console(file=out, width=width, markup=False, emoji=False)
    monkeypatch.setattr(output, "console", lambda: made)
    show_table("Projections", COLUMNS, ROWS)
    return out.getvalue() + capsys.readouterr().out


@pytest.mark.parametrize("width", [40, 60, 80, 132])
def test_no_digit_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, width: int
) -> None:
    text = shown(monkeypatch, capsys, width)
    assert "204,004" in text
    assert "48,213" in text
    assert "2026-11-24 08:08:24" in text


def test_text_from_devices_is_no_markup(capsys: Capture) -> None:
    show_table("T", ["device"], [("[/bold]x",), ("[red]y",), (":smile:",)])
    text = capsys.readouterr().out
    assert "[/bold]x" in text
    assert "[red]y" in text
    assert ":smile:" in text


def test_control_characters_do_not_reach_the_terminal(
    capsys: Capture,
) -> None:
    show_table("T", ["device"], [("a\x1b[31mb\n",)])
    assert "\x1b[31m" not in capsys.readouterr().out
    assert readable("a\x1bb") == "a\\x1bb"
