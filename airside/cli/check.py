"""`airside check`: event store, topics and read models against each other."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack

import click
from msgspec import Struct

from airside.checking.checking import Asked, check, sides
from airside.checking.found import CHECKS, Check, Fault, Found, Sides
from airside.checking.repair import repair
from airside.cli.output import Advance, progress, show_json, show_table
from airside.cli.rows import DIFFERENT, shortened
from airside.settings import Settings
from airside.wiring import Deployment, open_existing
from schemas.errors import NotFound

FAULTS_SHOWN = 20
UNITS = {
    "store": "events",
    "index": "accounts",
    "topic": "records",
    "commands": "records",
    "rows": "rows",
}


class Line(Struct, frozen=True):
    """One check, over all shards."""

    check: Check
    of: str  # the generation, of rows
    compared: int
    faults: int


class Answer(Struct, frozen=True):
    """What was found, and what was done about it before that."""

    ok: bool
    checks: list[Line]
    faults: list[Fault]
    repaired: list[str]
    said: list[str]


@click.command("check")
@click.option("--shard", type=click.IntRange(0), help="Only this shard. Default: all.")
@click.option(
    "--only", type=click.Choice(CHECKS), multiple=True, help="Only this check; may be repeated."
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="N",
    help="Read the index of N accounts of each shard, chosen at random. Default: of all.",
)
@click.option("--repair", "is_repair", is_flag=True, help="Mend what can be, then check again.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_context
def check_verb(
    ctx: click.Context,
    shard: int | None,
    only: Sequence[Check],
    sample: int | None,
    is_repair: bool,
    as_json: bool,
) -> None:
    """Compare event store, topics and read models with each other; name every difference.

    \b
      store      seq and version without gaps, every command decided once
      index      every account's events, as handlers load them, are those of the history
      topic      every event is published, the same bytes, in order, and nothing else is
      commands   every command that was taken left an event, or is parked
      rows       every read model equals a fold of the history

    The workers may go on meanwhile: it compares up to where they stood. Exits 5 where anything
    differs. --repair publishes again what the topic lacks, in order, and rewrites rows that
    differ; commits are never touched.
    """
    settings: Settings = ctx.obj
    with open_existing(settings) as deployment, sides(deployment) as compared:
        asked = Asked(_shards(deployment, shard), frozenset(only or CHECKS), sample)
        founds = _run(compared, asked, quiet=as_json)
        done: list[str] = []
        if is_repair and any(found.fault_count for found in founds):
            done = repair(compared, founds)
            founds = _run(compared, asked, quiet=as_json)
    told = answer(founds, done)
    if as_json:
        show_json(told)
    else:
        show(told)
    ctx.exit(0 if told.ok else DIFFERENT)


def _shards(deployment: Deployment, shard: int | None) -> tuple[int, ...]:
    if shard is None:
        return tuple(range(deployment.shards))
    if shard >= deployment.shards:
        raise NotFound(f"shard {shard}: there are shards 0 to {deployment.shards - 1}.")
    return (shard,)


def _run(compared: Sides, asked: Asked, *, quiet: bool) -> list[Found]:
    with ExitStack() as shown:
        bar: list[Advance] = []
        whole = 0

        def report(done: int, total: int) -> None:
            nonlocal whole
            if not bar:
                bar.append(shown.enter_context(progress("checking", total, quiet=quiet)))
                whole = total
            bar[0](min(done, whole - 1))  # the whole was a guess, while more arrives

        founds = check(compared, asked, report)
        for advance in bar:
            advance(whole)
    return founds


def answer(founds: Iterable[Found], repaired: list[str]) -> Answer:
    """The sums over all shards, and every fault."""
    lines: dict[tuple[Check, str], Line] = {}
    faults: list[Fault] = []
    said: dict[str, None] = {}
    for one in founds:
        key = (one.check, one.generation)
        before = lines.get(key, Line(*key, 0, 0))
        compared, count = before.compared + one.compared, before.faults + one.fault_count
        lines[key] = Line(*key, compared, count)
        faults += one.faults
        said |= dict.fromkeys(_said(one))
    order = sorted(lines, key=lambda key: CHECKS.index(key[0]))
    checks = [lines[key] for key in order]
    return Answer(not any(c.faults for c in checks), checks, faults, repaired, list(said))


def _said(one: Found) -> Iterable[str]:
    where = f"{one.check} {one.generation}".strip()
    return (f"{where}, shard {one.shard}: {text}" for text in one.said)


def show(told: Answer) -> None:
    """The answer for people: what was compared, what differs, and what was done."""
    rows = [
        (one.check, one.of, one.compared, UNITS[one.check], one.faults) for one in told.checks
    ]
    show_table("Checked", ["check", "of", "compared", "", "faults"], rows)
    shown = told.faults[:FAULTS_SHOWN]
    plain = [one for one in shown if not _is_row(one)]
    if plain:
        faults = [(one.check, one.shard, one.place, one.what) for one in plain]
        show_table("Faults", ["check", "shard", "where", "what"], faults)
    differing = [one for one in shown if _is_row(one)]
    if differing:
        rows_of_both = [
            (one.shard, one.place, _shortened(one.found), _shortened(one.wanted))
            for one in differing
        ]
        show_table("Rows that differ", ["shard", "row", "served", "folded anew"], rows_of_both)
    count = sum(one.faults for one in told.checks)
    if count > len(shown):
        click.echo(f"{count - len(shown):,} more faults: --json names them")
    for text in told.said:
        click.echo(text, err=True)
    for text in told.repaired:
        click.echo(f"repaired: {text}")
    click.echo("all is well" if told.ok else f"faults: {count:,}")


def _is_row(fault: Fault) -> bool:
    return fault.found is not None or fault.wanted is not None


def _shortened(row: str | None) -> str:
    return shortened(None if row is None else row.encode())
