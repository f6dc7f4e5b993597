"""`airside simulate-world`: the whole pipeline in one process, under faults from a seed."""

import itertools
from contextlib import ExitStack

import click

from airside.cli.output import Advance, progress, show_json, show_table
from airside.world.fate import BETWEEN, CELLS, KINDS
from airside.world.running import STEPS, Outcome, Runs, law_of, run, run_many, shortened

DIFFERENCES = 5  # the exit code


@click.command("simulate-world")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N")
@click.option(
    "--seeds",
    type=click.IntRange(1),
    metavar="N",
    help="So many worlds, from --seed on, and what they covered.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    metavar="M",
    help="As many worlds as there is time for.",
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    default=STEPS,
    show_default=True,
    metavar="N",
    help="How long the storm of one world lasts.",
)
@click.option(
    "--without",
    "off",
    multiple=True,
    type=click.Choice(KINDS),
    metavar="KIND",
    help="Leave out a kind of fault; may be given several times. --kinds lists them.",
)
@click.option("--kinds", is_flag=True, help="List the kinds of faults and the steps they hit.")
@click.option("--as-is", is_flag=True, help="Do not shorten a run that breaks a law.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
def simulate_world(
    seed: int,
    seeds: int | None,
    minutes: float | None,
    steps: int,
    off: tuple[str, ...],
    kinds: bool,
    as_is: bool,
    as_json: bool,
) -> None:
    """Watch the laws hold: handlers, projectors, timekeeper and replays, and all that may fail.

    The real code runs on engines in memory, in one thread. A seed decides who is next, what
    the clock says and what goes wrong: crashes, pauses, lost and late answers, zombies,
    rebalances, duplicates, poison, read models that fall back, promotions and rollbacks. Then
    the storm is over, everything drains, and every law is checked. The same seed is the same
    world on every machine. Nothing of yours is touched.

    A run that breaks a law exits 5, and says the one command that replays it, shortened.
    """
    if kinds:
        show_table("What may go wrong, and where", ("step", "kind"), CELLS)
    elif seeds is None and minutes is None:
        one = run(seed, steps, off=off)
        _finish([one] if one.broken else [], one, as_is, as_json)
    else:
        _finish_many(seed, seeds, minutes, steps, off, as_is, as_json)


def _finish_many(
    seed: int,
    seeds: int | None,
    minutes: float | None,
    steps: int,
    off: tuple[str, ...],
    as_is: bool,
    as_json: bool,
) -> None:
    numbers = itertools.count(seed) if seeds is None else range(seed, seed + seeds)
    seconds = None if minutes is None else minutes * 60
    with ExitStack() as held:
        bar: list[Advance] = []

        def report(runs: Runs) -> None:
            if not bar:
                total = seeds or 0
                bar.append(held.enter_context(progress("worlds", total, quiet=as_json)))
            bar[0](runs.runs)

        total = run_many(numbers, steps, off=off, seconds=seconds, report=report)
    _finish(total.failed, total, as_is, as_json)


def _finish(failed: list[Outcome], found: Outcome | Runs, as_is: bool, as_json: bool) -> None:
    told = [one if as_is else shortened(one) for one in failed]
    if as_json:
        show_json({**_counted(found), "failed": [_as_json(one) for one in told]})
    else:
        _tell(found)
        for one in told:
            _tell_broken(one)
    if told:
        click.get_current_context().exit(DIFFERENCES)


def _counted(found: Outcome | Runs) -> dict[str, object]:
    struck = [
        {"step": step, "kind": kind, "count": count}
        for (step, kind), count in sorted(found.struck.items())
    ]
    if isinstance(found, Outcome):
        return {"seed": found.seed, "steps": found.steps, "trace": found.trace,
                "events": found.events, "struck": struck}  # fmt: skip
    empty = [{"step": step, "kind": kind} for step, kind in found.empty]
    return {"worlds": found.runs, "events": found.events, "seconds": round(found.seconds, 2),
            "worlds_per_second": round(found.rate, 1), "struck": struck,
            "empty_cells": empty}  # fmt: skip


def _as_json(one: Outcome) -> dict[str, object]:
    return {"law": law_of(one), "broken": one.broken, "command": one.command}


def _tell(found: Outcome | Runs) -> None:
    faults = sum(found.struck.values())
    if isinstance(found, Outcome):
        click.echo(
            f"seed {found.seed}: {found.steps} steps, {found.events} events, {faults} faults"
        )
        click.echo(f"trace {found.trace}")
        _tell_cells(found)
        return
    click.echo(
        f"{found.runs:,} worlds, {found.seconds:.1f} s of one core, {found.rate:.1f} a second: "
        f"{found.events:,} events, {faults:,} faults"
    )
    _tell_cells(found)
    covered = len(CELLS) - len(found.empty)
    click.echo(f"{covered} of {len(CELLS)} cells of the fault × step table were struck")
    for step, kind in found.empty:
        click.echo(f"  empty: {kind}, {'' if step == BETWEEN else 'at: '}{step}")


def _tell_cells(found: Outcome | Runs) -> None:
    counted = [
        (kind, sum(n for (_, k), n in found.struck.items() if k == kind)) for kind in KINDS
    ]
    show_table("What went wrong", ("fault", "times"), [one for one in counted if one[1]])


def _tell_broken(one: Outcome) -> None:
    click.echo(f"broken: {len(one.broken)} times, seed {one.seed}")
    for sentence in one.broken:
        click.echo(f"  {sentence}")
    click.echo(f"replay it: {one.command}")
