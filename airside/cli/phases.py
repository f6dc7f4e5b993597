"""How far a replay is: a bar for each phase on a terminal, else a line every few seconds.

Both go to standard error, so that standard output stays the answer.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from airside.cli.output import PLAIN_INTERVAL_SECONDS
from projectors.progress import Progress, Report

Style = Literal["bars", "lines", "json", "none"]


class Line(msgspec.Struct, frozen=True):
    """One line of JSON: how far which projection is."""

    projection: str
    progress: Progress


def style_of(*, as_json: bool) -> Style:
    """What suits whoever looks at standard error."""
    if as_json:
        return "json"
    return "bars" if sys.stderr.isatty() else "lines"


@contextmanager
def phases(name: str, style: Style) -> Iterator[Report]:
    """What a replay reports to."""
    if style == "bars":
        with _bars() as bars:
            yield Drawing(name, bars)
    elif style == "none":
        yield lambda progress: None
    else:
        yield Lines(name, as_json=style == "json")


@contextmanager
def saying_how_to_go_on() -> Iterator[None]:
    """Where it is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("airside: the same replay goes on where this one stopped.", err=True)
        raise


class Drawing:
    """A bar for each phase."""

    def __init__(self, name: str, bars: Bars) -> None:
        self._name, self._bars = name, bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, at: Progress) -> None:
        """Move the bar of the phase."""
        if at.phase not in self._tasks:
            label = f"{self._name}: {at.phase}"
            self._tasks[at.phase] = self._bars.add_task(label, total=at.total, said="")
        said = f"{at.rate:,.0f}/s{eta(at)}"
        self._bars.update(self._tasks[at.phase], completed=at.done, total=at.total, said=said)


class Lines:
    """A line when a phase begins and ends, and every few seconds between."""

    def __init__(self, name: str, *, as_json: bool) -> None:
        self._name, self._as_json = name, as_json
        self._phase = ""
        self._said_at = 0.0
        self._is_whole = False

    def __call__(self, at: Progress) -> None:
        """Say it, if it is time to."""
        now = time.monotonic()
        is_whole = at.done >= at.total
        is_news = at.phase != self._phase or (is_whole and not self._is_whole)
        if not is_news and now - self._said_at < PLAIN_INTERVAL_SECONDS:
            return
        self._phase, self._said_at, self._is_whole = at.phase, now, is_whole
        if self._as_json:
            click.echo(msgspec.json.encode(Line(self._name, at)), err=True)
        else:
            click.echo(
                f"{self._name}: {at.phase} {at.done:,} of {at.total:,}, "
                f"{at.rate:,.0f}/s{eta(at)}",
                err=True,
            )


def eta(at: Progress) -> str:
    """`, ETA 40 s (35 to 52)`: the band is the mean rate of late, give or take its spread."""
    if at.done >= at.total or at.eta_seconds is None:
        return ""
    if at.eta_low is None:
        return f", ETA {at.eta_seconds:,.0f} s"
    high = "?" if at.eta_high is None else f"{at.eta_high:,.0f}"
    return f", ETA {at.eta_seconds:,.0f} s ({at.eta_low:,.0f} to {high})"


def _bars() -> Bars:
    return Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
