"""How answers are shown: tables for people, JSON for programs, progress for the patient."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

import click
import msgspec
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

PLAIN_INTERVAL_SECONDS = 5.0
WIDTH_UNKNOWN = 132
NO_WRAP_CHARACTERS = 24

Advance = Callable[[int], None]
"""Says how many of the total are done now."""


def console() -> Console:
    """The console that tables go to; a file or pipe has no width, so it gets a wide one."""
    width = None if sys.stdout.isatty() else WIDTH_UNKNOWN
    return Console(highlight=False, width=width)


def show_json(answer: Any) -> None:
    """One line of JSON on standard output."""
    click.echo(msgspec.json.encode(answer))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table; numbers are right-aligned, None is a dash, True and False are yes and no."""
    body = list(rows)
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for n, name in enumerate(columns):
        values = [row[n] for row in body]
        is_number = all(value is None or type(value) is int for value in values)
        is_short = all(len(cell(value)) <= NO_WRAP_CHARACTERS for value in values)
        justify: Literal["left", "right"] = "right" if is_number and values else "left"
        made.add_column(name, justify=justify, overflow="fold", no_wrap=is_short)
    for row in body:
        made.add_row(*(cell(value) for value in row))
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
            return str(value)


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
    if quiet:
        yield lambda done: None
    elif sys.stderr.isatty():
        with _bar() as bar:
            task = bar.add_task(label, total=total, rate="")
            started = time.monotonic()

            def advance(done: int) -> None:
                seconds = max(time.monotonic() - started, 1e-6)
                bar.update(task, completed=done, rate=f"{done / seconds:,.0f}/s")

            yield advance
    else:
        yield _lines(label, total)


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
        left = (total - done) / rate if rate else 0
        click.echo(
            f"{label}: {done:,} of {total:,}, {rate:,.0f}/s, ETA {left:,.0f} s", err=True
        )

    return advance
