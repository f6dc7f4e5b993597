"""`airside projections verify`: are rows what their workers wrote, and are they right?"""

import shlex
from collections.abc import Sequence

import click
from msgspec import Struct

from airside.checking.checking import sides
from airside.checking.found import Sides
from airside.cli.output import progresses, show_json, show_table
from airside.cli.rows import DIFFERENT, shortened
from airside.settings import Settings
from airside.verifying import Asked, ShardVerified
from airside.verifying import verify as verified
from airside.wiring import open_existing, wall_clock
from projectors.all import PROJECTIONS
from projectors.generations import KEPT
from projectors.verification import NOT_ROWS
from schemas.record import shard_of

ROWS_SHOWN = 20
ACCOUNTS_MAX = 5  # of a shard that are healed one by one
COULD_NOT = 1  # exit code
BY_NAME = {projection.name: projection for projection in PROJECTIONS}


class Row(Struct, frozen=True):
    """One row that is not what it should be; None: no such row."""

    generation: str
    shard: int
    row: str
    found: str | None
    wanted: str | None
    heal: str  # the command that mends it


class Line(Struct, frozen=True):
    """One generation, over the shards that were asked for."""

    generation: str
    role: str
    shards: int
    compared_with_history: int  # shards of which every row was, not only the digest
    rows: int
    different: int
    incomplete: int  # rows that an event is parked for


class Answer(Struct, frozen=True):
    """What was verified, and what was found."""

    ok: bool
    generations: list[Line]
    rows: list[Row]  # the first that differ
    incomplete: list[str]
    unverified: list[str]
    said: list[str]


@click.command()
@click.argument("projection", type=click.Choice(tuple(BY_NAME)), required=False)
@click.option("--generation", metavar="NUMBER|LABEL", help="Only this one. Default: all.")
@click.option("--shard", type=click.IntRange(0), help="Only this shard. Default: all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_context
def verify(
    ctx: click.Context,
    /,
    projection: str | None,
    generation: str | None,
    shard: int | None,
    as_json: bool,
) -> None:
    """Compute the digest of all stored rows anew, and compare it with the one kept beside them.

    A worker keeps the digest while it writes rows, so a row that anybody else changed is found,
    and so is a digest that was. Where the two are not equal, every row is compared with a fold
    of the history, and those that differ are named; so it is in a shard whose rows change
    faster than they can be read. Workers may go on meanwhile; no row is changed.

    Exits 5 where anything differs. `airside check` compares every row with the history anyway.
    """
    if generation is not None and projection is None:
        raise click.UsageError("Which projection's? airside projections verify NAME …")
    chosen = PROJECTIONS if projection is None else (BY_NAME[projection],)
    settings: Settings = ctx.obj
    with open_existing(settings) as deployment, sides(deployment) as both:
        founds = _run(both, Asked(chosen, generation, shard), quiet=as_json)
        told = answer(both, founds)
    if as_json:
        show_json(told)
    else:
        show(told)
    ctx.exit(0 if told.ok else DIFFERENT if told.rows else COULD_NOT)


def _run(both: Sides, asked: Asked, *, quiet: bool) -> list[ShardVerified]:
    with progresses(quiet=quiet) as report:
        return verified(both, asked, now_at=wall_clock(), report=report)


def answer(both: Sides, founds: Sequence[ShardVerified]) -> Answer:
    """The sums over shards, and everything that was found."""
    lines = []
    for name in dict.fromkeys(one.generation.name for one in founds):
        of_it = [one for one in founds if one.generation.name == name]
        lines.append(
            Line(
                name,
                of_it[0].role,
                len(of_it),
                sum(one.by_history for one in of_it),
                sum(one.rows for one in of_it),
                sum(one.different for one in of_it),
                sum(len(one.incomplete) for one in of_it),
            )
        )
    rows = [row for one in founds for row in _rows(both, one)]
    unverified = [f"{_where(one)}: {one.unverified}" for one in founds if one.unverified]
    incomplete = [f"{_where(one)}, row {key}" for one in founds for key in one.incomplete]
    said = [f"{_where(one)}: {text}" for one in founds for text in one.said]
    return Answer(not (rows or unverified), lines, rows, incomplete, unverified, said)


def _rows(both: Sides, found: ShardVerified) -> list[Row]:
    return [
        Row(
            found.generation.name,
            found.shard,
            one.key,
            _text(one.live),
            _text(one.rebuilt),
            _heal(both, found, one.key),
        )
        for one in found.differences
    ]


def _heal(both: Sides, found: ShardVerified, key: str) -> str:
    """What mends the row: healing an account's rows, or a partition's, or a replay."""
    generation = found.generation
    replay = f"airside replay {generation.projection}"
    if generation.label:
        return f"{replay} --as-of … --into {generation.label} --replace"
    is_kept_up = found.by_history and found.role in KEPT
    if not is_kept_up or key in found.incomplete:
        return replay
    if key not in NOT_ROWS and found.different <= ACCOUNTS_MAX:
        for account in (key, key.rpartition("/")[0]):
            if _is_account(both, account, found.shard):
                return f"{replay} --account {shlex.quote(account)}"
    return f"{replay} --partition {found.shard}"


def _is_account(both: Sides, name: str, shard: int) -> bool:
    if not name or shard_of(name, both.shards) != shard:
        return False
    return any(True for _ in both.store.history(name))


def _where(one: ShardVerified) -> str:
    return f"{one.generation.name}, shard {one.shard}"


def _text(row: bytes | None) -> str | None:
    return None if row is None else row.decode(errors="replace")


def show(told: Answer) -> None:
    """The answer for people: what was verified, what differs, what to do."""
    columns = ["generation", "role", "shards", "rows", "differ", "incomplete"]
    lines = [
        (one.generation, one.role, one.shards, one.rows, one.different, one.incomplete)
        for one in told.generations
    ]
    show_table("Verified", columns, lines)
    shown = told.rows[:ROWS_SHOWN]
    if shown:
        rows = [
            (one.generation, one.shard, one.row, shortened(one.found), shortened(one.wanted))
            for one in shown
        ]
        columns = ["generation", "shard", "row", "stored", "should be"]
        show_table("Rows that differ", columns, rows)
    different = sum(one.different for one in told.generations)
    if different > len(shown):
        click.echo(f"and {different - len(shown):,} more", err=True)
    for row in told.incomplete[:ROWS_SHOWN]:
        click.echo(f"{row}: incomplete, since an event of it is parked", err=True)
    if len(told.incomplete) > ROWS_SHOWN:
        click.echo(f"and {len(told.incomplete) - ROWS_SHOWN:,} more incomplete", err=True)
    for text in (*told.said, *told.unverified):
        click.echo(text, err=True)
    for step in dict.fromkeys(one.heal for one in shown):
        click.echo(f"to mend it: {step}")
    click.echo(verdict(told, different))


def verdict(told: Answer, different: int) -> str:
    """The last line, for people and scripts."""
    rows = f"{sum(one.rows for one in told.generations):,} rows"
    if different:
        return f"{rows}, differences: {different:,}"
    if told.unverified:
        return f"{rows}, and not all of them could be verified"
    return f"{rows} are what their digests say"
