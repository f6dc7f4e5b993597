"""How answers are shown: tables for people, JSON for programs, progress for the patient."""

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import click
import msgspec
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from schemas.envelope import ID_CHARACTERS_MAX

PLAIN_INTERVAL_SECONDS = 5.0
WIDTH_UNKNOWN = 132
WIDTH_ANY = 100_000
WHOLE_CHARACTERS = 24  # values up to this length are never broken

Advance = Callable[[int], None]
"""Says how many of the total are done now."""

Tell = Callable[[str, int, int], None]
"""Says of one of several things how many are done, of how many."""


class Seconds(click.FloatRange):
    """A number of seconds in a range; not a number is no number."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds. Raises: BadParameter."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds


class Id(click.ParamType[str]):
    """An id as people can type and read it."""

    name = "id"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The id. Raises: BadParameter."""
        text = str(value)
        if not (0 < len(text) <= ID_CHARACTERS_MAX and text.isprintable()):
            self.fail(f"{ascii(text)[:80]} is no id of 1 to {ID_CHARACTERS_MAX} characters.")
        return text


def console() -> Console:
    """The console that tables go to; a file or pipe has no width, so it gets a wide one."""
    width = None if sys.stdout.isatty() else WIDTH_UNKNOWN
    return Console(highlight=False, markup=False, emoji=False, width=width)


def show_json(answer: Any) -> None:
    """One line of JSON on standard output."""
    click.echo(msgspec.json.encode(answer))


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; where the terminal is too narrow for it, one line per value instead.

    Numbers are right-aligned, None is a dash, True and False are yes and no.
    """
    body = list(rows)
    out, made = console(), table(title, columns, body)
    unbounded = out.options.update(max_width=WIDTH_ANY)
    if Measurement.get(out, unbounded, made).minimum <= out.width:
        out.print(made)
        return
    click.echo(title)
    broad = max(map(len, columns), default=0)
    for row in body:
        click.echo()
        for name, value in zip(columns, row, strict=True):
            click.echo(f"  {name:<{broad}}  {cell(value)}")


def table(title: str, columns: Sequence[str], body: Sequence[Sequence[object]]) -> Table:
    """The table itself: short values are never broken, long ones are folded."""
    made = Table(
        title=Text(title),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),  # two columns are two characters apart
    )
    for n, name in enumerate(columns):
        values = [row[n] for row in body]
        is_number = all(value is None or type(value) is int for value in values)
        longest = max((len(cell(value)) for value in values), default=0)
        justify: Literal["left", "right"] = "right" if is_number and values else "left"
        made.add_column(
            name, justify=justify, overflow="fold", min_width=min(longest, WHOLE_CHARACTERS)
        )
    for row in body:
        made.add_row(*(Text(cell(value)) for value in row))
    return made


def cell(value: object) -> str:
    """One value as people read it."""
    match value:
        case None | "":
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case _:
            return readable(str(value))


def readable(text: str) -> str:
    """Text from devices and files as a terminal may show it: control characters are escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def instant(at: int | None) -> str:
    """`2026-11-24 07:38:12`, in UTC."""
    if at is None:
        return "–"
    return f"{datetime.fromtimestamp(at / 1_000, UTC):%Y-%m-%d %H:%M:%S}"


@contextmanager
def progress(label: str, total: int, *, quiet: bool = False) -> Iterator[Advance]:
    """A progress bar with rate and ETA on a terminal; else a line every few seconds.

    Both go to standard error, so that standard output stays the answer.
    """
    with progresses(quiet=quiet) as tell:
        yield lambda done: tell(label, done, total)


@contextmanager
def progresses(*, quiet: bool = False) -> Iterator[Tell]:
    """The same of several things, each of which is there from when it is first told of."""
    if quiet:
        yield lambda label, done, total: None
    elif sys.stderr.isatty():
        with _bar() as bar:
            yield _several(partial(_drawn, bar))
    else:
        yield _several(_lines)


def _several(begin: Callable[[str, int], Advance]) -> Tell:
    begun: dict[str, Advance] = {}

    def tell(label: str, done: int, total: int) -> None:
        if label not in begun:
            begun[label] = begin(label, total)
        begun[label](done)

    return tell


def _drawn(bar: Progress, label: str, total: int) -> Advance:
    task = bar.add_task(label, total=total, rate="")
    started = time.monotonic()

    def advance(done: int) -> None:
        seconds = max(time.monotonic() - started, 1e-6)
        most = max(done, total)
        bar.update(task, completed=done, total=most, rate=f"{done / seconds:,.0f}/s")

    return advance


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _lines(label: str, total: int) -> Advance:
    started = last = time.monotonic()

    def advance(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < PLAIN_INTERVAL_SECONDS and done < total:
            return
        last = now
        rate = done / max(now - started, 1e-6)
        most = max(done, total)
        left = (most - done) / rate if rate else 0
        click.echo(f"{label}: {done:,} of {most:,}, {rate:,.0f}/s, ETA {left:,.0f} s", err=True)

    return advance
