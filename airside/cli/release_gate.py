"""The release gate: `airside replay --dry-run --corpus DIR`.

Folds stored events with the installed code and compares every row with what was approved last.
It needs no engine and changes nothing but, when it is told to, the approved rows.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct

from airside.cli.output import show_json, show_table
from airside.cli.rows import DIFFERENT
from airside.corpus import (
    Approved,
    Difference,
    Parked,
    approve,
    approved_names,
    differences,
    folded,
    read_approved,
    read_events,
    withdraw,
)
from airside.recording import record
from airside.settings import Settings
from airside.wiring import open_existing
from projectors.all import PROJECTIONS

GATED = frozenset(
    ("dry_run", "corpus", "approving", "recording", "projection", "is_all", "as_json")
)
DIFFERENCES_SHOWN = 20  # rows
DIFFERENCES_TOLD = 1_000  # rows, in JSON
VALUE_CHARACTERS_SHOWN = 120


Change = tuple[str, str, str]
"""What, before, after."""

_ABSENT = "(not there)"


OPTIONS = (
    click.option("--dry-run", is_flag=True, help="Only fold --corpus, and say what differs."),
    click.option(
        "--corpus",
        type=click.Path(file_okay=False, path_type=Path),
        help="With --dry-run: stored events, and the rows that were approved of them.",
    ),
    click.option(
        "--approve", "approving", is_flag=True, help="With --dry-run: what differs is right."
    ),
    click.option(
        "--record",
        "recording",
        is_flag=True,
        help="With --dry-run: make the corpus first, of the events topic.",
    ),
)


class Folded(Struct, frozen=True):
    """One read model of the corpus."""

    projection: str
    rows: int
    parked: int
    different: int
    is_new: bool  # nothing was approved of it before


class Answer(Struct, frozen=True):
    """What the gate says."""

    ok: bool  # nothing differs
    approved: bool  # what differs is right from now on
    projections: list[Folded]
    removed: list[str]  # read models that something was approved of, and that are no more
    differences: list[Difference]  # the first of them


def gated(verb: Callable[..., None]) -> Callable[..., None]:
    """Give `replay` the options of the gate; with --dry-run it is that, and nothing else."""

    @wraps(verb)
    def either(
        ctx: click.Context,
        /,
        dry_run: bool,
        corpus: Path | None,
        approving: bool,
        recording: bool,
        **options: Any,
    ) -> None:
        if dry_run:
            folder = _asked_for(ctx, corpus, is_new=recording)
            logging.getLogger("projectors").setLevel(logging.ERROR)  # what is parked is told
            if recording:
                record_corpus(ctx.obj, folder)
            name, as_json = options["projection"], options["as_json"]
            names = () if name is None else (name,)
            ctx.exit(gate(folder, names, approving=approving, as_json=as_json))
        elif corpus or approving or recording:
            raise click.UsageError("--corpus, --approve and --record go with --dry-run.")
        else:
            verb(ctx, **options)

    for option in reversed(OPTIONS):
        option(either)
    return either


def gate(
    corpus: Path, names: Collection[str] = (), *, approving: bool = False, as_json: bool = False
) -> int:
    """Fold a corpus, show what differs from what was approved; the exit code.

    `names` of projections; none: all. `approving`: then write what was found as approved.
    Raises: NotFound, Invalid, Hole where the corpus cannot be read or folded to its end.
    """
    events = read_events(corpus)
    found: list[Folded] = []
    first: list[Difference] = []
    for projection in PROJECTIONS:
        name = projection.name
        if names and name not in names:
            continue
        now, was = folded(events, projection), read_approved(corpus, name)
        differing = list(differences(name, was or (), now))
        first += differing[: DIFFERENCES_TOLD - len(first)]
        parked = sum(isinstance(one, Parked) for one in now)
        rows = len(now) - parked
        found.append(Folded(name, rows, parked, len(differing), is_new=was is None))
        if approving and (differing or was is None):
            approve(corpus, name, now)
    removed = [] if names else _removed(corpus, approving=approving)
    is_same = not removed and not any(one.different or one.is_new for one in found)
    answer = Answer(is_same, approving and not is_same, found, removed, first)
    if as_json:
        show_json(answer)
    else:
        tell(answer, corpus)
    return 0 if is_same or approving else DIFFERENT


def _asked_for(ctx: click.Context, corpus: Path | None, *, is_new: bool) -> Path:
    """The corpus. Raises: UsageError where a dry run is asked for what it does not do, or of
    a directory that is not there.
    """
    given = click.core.ParameterSource.COMMANDLINE
    idle = [
        parameter.opts[0]
        for parameter in ctx.command.params
        if parameter.name not in GATED
        and ctx.get_parameter_source(parameter.name or "") == given
    ]
    if idle or corpus is None:
        wrong = f"{', '.join(idle)} has no meaning" if idle else "--corpus is missing"
        raise click.UsageError(f"--dry-run folds the events of a --corpus DIR: {wrong}.")
    if not is_new and not corpus.is_dir():
        raise click.UsageError(f"--corpus {corpus}: no such directory. --record makes one.")
    return corpus


def record_corpus(settings: Settings, corpus: Path) -> None:
    """Make a corpus of a deployment's events topic."""
    with open_existing(settings) as deployment:
        count = record(deployment, corpus)
    click.echo(f"{count:,} events are in {corpus} now.", err=True)


def tell(answer: Answer, corpus: Path) -> None:
    """The answer for people; the last line is the verdict."""
    columns = ["read model", "rows", "parked", "different"]
    rows = [(one.projection, one.rows, one.parked, one.different) for one in answer.projections]
    show_table(f"Folded from {corpus}", columns, rows)
    new = [one.projection for one in answer.projections if one.is_new]
    shown = [one for one in answer.differences if one.projection not in new]
    shown = shown[:DIFFERENCES_SHOWN]
    if shown:
        show_table(
            "What differs",
            ["read model", "shard", "row", "what", "approved", "now"],
            [line for one in shown for line in _lines_of(one)],
        )
    for name in answer.removed:
        click.echo(f"{name}: is no read model any more, but rows of it were approved", err=True)
    for name in new:
        click.echo(f"{name}: nothing was approved yet", err=True)
    count = sum(one.different for one in answer.projections)
    told = sum(one.different for one in answer.projections if not one.is_new)
    if told > len(shown):
        click.echo(f"{told - len(shown):,} more differ", err=True)
    if answer.ok:
        click.echo(f"as approved: {sum(row.rows for row in answer.projections):,} rows")
    elif answer.approved:
        click.echo(f"approved, rows that differed: {count:,}. Review and commit {corpus}")
    else:
        click.echo(f"not as approved, rows that differ: {count:,}. If that is right: --approve")


def changes(
    before: Any, after: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, str]]:
    """(what, before, after) of everything that two JSON values say otherwise."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from changes(
                before.get(name, _ABSENT), after.get(name, _ABSENT), (*path, name)
            )
    elif before != after or type(before) is not type(after):
        yield ".".join(path), _value(before), _value(after)


def _removed(corpus: Path, *, approving: bool) -> list[str]:
    known = {projection.name for projection in PROJECTIONS}
    removed = [name for name in approved_names(corpus) if name not in known]
    for name in removed if approving else ():
        withdraw(corpus, name)
    return removed


def _lines_of(one: Difference) -> Sequence[tuple[object, ...]]:
    where = (one.projection, one.either.shard, one.either.key)
    found = list(changes(_json(one.approved), _json(one.now)))
    # the same JSON in other bytes, such as fields in another order, differs too
    return [(*where, *line) for line in found or [("its bytes", "", "")]]


def _json(one: Approved | None) -> Any:
    if isinstance(one, Parked):
        return f"parked: {one.reason}"
    return _ABSENT if one is None else msgspec.json.decode(one.row)


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    cut = text[:VALUE_CHARACTERS_SHOWN]
    return cut if cut == text else f"{cut}…"
