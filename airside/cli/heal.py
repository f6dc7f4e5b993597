"""`airside replay NAME --account ID` and `--partition N`: rows healed in place, and shown."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import click
from msgspec import Struct

from airside.checking.checking import sides
from airside.checking.found import Report
from airside.checking.repair import Healed
from airside.cli.alone import check_alone
from airside.cli.output import Advance, Id, progress, show_json, show_table
from airside.cli.rows import DIFFERENT, shortened
from airside.healing import heal_account, heal_partition
from airside.wiring import Deployment, open_existing
from projectors.all import PROJECTIONS
from projectors.projection import Projection

NAMED_MAX = 20  # incomplete rows, for people
BY_NAME = {projection.name: projection for projection in PROJECTIONS}
BESIDE = frozenset(("projection", "account_id", "partition", "as_json"))
OPTIONS = (
    click.option(
        "--account",
        "account_id",
        type=Id(),
        help="Only heal the rows that events of this account touch, in place: no new "
        "generation. Its whole shard is folded for it, from the event store, in memory.",
    ),
    click.option(
        "--partition",
        type=click.IntRange(0),
        help="Only heal the rows of this partition, in place: those that differ, that are "
        "missing, and that no event made.",
    ),
)


class Row(Struct, frozen=True):
    """One row that was rewritten; None: no such row."""

    generation: str
    row: str
    before: str | None
    after: str | None


class Answer(Struct, frozen=True):
    """What was compared and rewritten, in all generations that workers keep up to date."""

    ok: bool  # every row that was asked about is right and complete now
    compared: int
    rewritten: int
    rows: list[Row]  # the first of these
    incomplete: list[str]  # rows that lack events, which are parked: a replay mends them
    said: list[str]  # what could not be done, and what else was mended


def healing(verb: Callable[..., None]) -> Callable[..., None]:
    """Give `replay` the options to heal rows; with one of them it does that instead."""

    @wraps(verb)
    def either(
        ctx: click.Context, /, account_id: str | None, partition: int | None, **options: Any
    ) -> None:
        if account_id is None and partition is None:
            verb(ctx, **options)
            return
        projection = options["projection"]
        if projection is None or None not in (account_id, partition):
            raise click.UsageError("Name a projection, and either --account or --partition.")
        check_alone(ctx, "--account" if partition is None else "--partition", BESIDE)
        with open_existing(ctx.obj) as deployment:
            code = heal(
                deployment,
                BY_NAME[projection],
                account_id=account_id,
                partition=partition,
                as_json=options["as_json"],
            )
        ctx.exit(code)

    for option in reversed(OPTIONS):
        option(either)
    return either


def heal(
    deployment: Deployment,
    projection: Projection[Any],
    *,
    account_id: str | None = None,
    partition: int | None = None,
    as_json: bool = False,
) -> int:
    """Heal one account's rows or one partition's, and show it; the exit code.

    Raises: what `heal_account` and `heal_partition` raise.
    """
    with sides(deployment) as all_sides, _shown(projection.name, quiet=as_json) as report:
        if account_id is not None:
            done = heal_account(all_sides, projection, account_id, report)
        else:
            assert partition is not None, "one of the two is given"
            done = heal_partition(all_sides, projection, partition, report)
    told = answer(done)
    if as_json:
        show_json(told)
    else:
        show(told, projection.name)
    return 0 if told.ok else DIFFERENT


@contextmanager
def _shown(name: str, *, quiet: bool) -> Iterator[Report]:
    """A bar of the events that are folded, from the first ones on."""
    with ExitStack() as shown:
        bars: list[Advance] = []

        def report(done: int, total: int) -> None:
            if not bars:
                bar = progress(f"{name}: folding", total, quiet=quiet)
                bars.append(shown.enter_context(bar))
            bars[0](done)

        yield report


def answer(done: Sequence[Healed]) -> Answer:
    """The sums over all generations."""
    rows = [
        Row(one.generation, row.key, _text(row.live), _text(row.rebuilt))
        for one in done
        for row in one.shown
    ]
    incomplete = [f"{one.generation}, row {key}" for one in done for key in one.incomplete]
    given_up = [f"{_where(one)}: given up: {one.given_up}" for one in done if one.given_up]
    mended = [
        f"{_where(one)}: the digest kept beside the rows was wrong, and is right now"
        for one in done
        if one.digest_set
    ]
    return Answer(
        ok=not (incomplete or given_up),
        compared=sum(one.compared for one in done),
        rewritten=sum(one.rewritten for one in done),
        rows=rows,
        incomplete=incomplete,
        said=mended + given_up,
    )


def show(told: Answer, projection: str) -> None:
    """The answer for people."""
    if told.rows:
        rows = [
            (r.generation, r.row, shortened(r.before), shortened(r.after)) for r in told.rows
        ]
        show_table("Rows rewritten", ["generation", "row", "before", "after"], rows)
    if told.rewritten > len(told.rows):
        click.echo(f"and {told.rewritten - len(told.rows):,} more")
    for text in told.said:
        click.echo(text, err=True)
    for row in told.incomplete[:NAMED_MAX]:
        step = f"airside replay {projection}"
        click.echo(f"{row}: stays incomplete, events of it are parked. Run: {step}", err=True)
    if len(told.incomplete) > NAMED_MAX:
        click.echo(f"and {len(told.incomplete) - NAMED_MAX:,} more incomplete ones", err=True)
    word = "these rows are right" if told.ok else "not all of these rows are right"
    noun = "row" if told.compared == 1 else "rows"
    click.echo(f"{told.compared:,} {noun} compared, {told.rewritten:,} rewritten: {word}")


def _where(one: Healed) -> str:
    return f"{one.generation}, shard {one.shard}"


def _text(row: bytes | None) -> str | None:
    return None if row is None else row.decode(errors="replace")
