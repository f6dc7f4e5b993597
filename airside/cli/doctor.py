"""`airside doctor`: whether the engines are there, and set up so that nothing is lost."""

import click
from msgspec import Struct

from airside import doctor as examination
from airside.cli.output import show_json, show_table
from airside.judging.finding import Finding


class Answer(Struct, frozen=True):
    """How the engines are."""

    mend: int  # findings of this verdict
    look: int
    findings: list[Finding]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look at every engine: is it there, does it fit, could it lose something.

    Connections, versions, clocks, topics and their settings, replication, eviction and
    persistence, and whether event store, log and read models belong together. Nothing is
    changed. It asks all engines at once and takes some 15 seconds at most, also where none
    answers.

    `look` is what works and should be known, `mend` what does not work or may lose data; then
    the exit code is 1. How far behind the workers are says `airside projections`.
    """
    findings = examination.examine(ctx.obj)
    told = Answer(_count(findings, "mend"), _count(findings, "look"), findings)
    if as_json:
        show_json(told)
    else:
        _show(told)
    ctx.exit(1 if told.mend else 0)


def _show(told: Answer) -> None:
    rows = [(one.engine, one.what, one.found, one.verdict) for one in told.findings]
    show_table("Engines", ["engine", "what", "found", "verdict"], rows)
    for (verdict, engine, advice), places in _advice(told.findings).items():
        click.echo(f"{verdict}: {engine}, {'; '.join(places)}: {advice}")
    if not told.mend:
        click.echo(f"Nothing to mend, {told.look:,} to look at.")
    else:
        click.echo(f"{told.mend:,} to mend, {told.look:,} to look at.")


def _advice(findings: list[Finding]) -> dict[tuple[str, str, str], list[str]]:
    """What to do, and to what it applies; what must be mended comes first."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for verdict in ("mend", "look"):
        for one in findings:
            if one.verdict == verdict:
                found.setdefault((verdict, one.engine, one.advice), []).append(one.what)
    return found


def _count(findings: list[Finding], verdict: str) -> int:
    return sum(one.verdict == verdict for one in findings)
