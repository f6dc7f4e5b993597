"""`airside send`: produce commands onto the commands topic, one or a file of them."""

import time
from collections import Counter
from itertools import islice
from pathlib import Path

import click
from msgspec import Struct

from airside.cli.command_file import check, opened, parsed
from airside.cli.output import Seconds, progress, show_json, show_table
from airside.cli.sending import NO_OUTCOME, REFUSED, WAIT_SECONDS, send_one, tell
from airside.outcomes import wait_for
from airside.wiring import Deployment, open_deployment
from schemas.envelope import Command, new_id
from schemas.parse import describe, parse_assignments

BATCH_COMMANDS = 1_000  # produced at once


class Summary(Struct, frozen=True):
    """What became of a file of commands."""

    commands: int
    seconds: float
    outcomes: dict[str, int]  # by status, refusals by code; empty without --wait
    without_outcome: int


@click.command(epilog="Exit codes: 0 done, 2 bad input, 3 refused, 4 no outcome in time.")
@click.argument("command_type", required=False)
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="One JSON object per line: `type` and the command's fields; - is standard input.",
)
@click.option("--wait", is_flag=True, help="Wait for the outcome and show it.")
@click.option(
    "--timeout",
    type=Seconds(0, 86_400),
    default=WAIT_SECONDS,
    show_default=True,
    help="How long to wait, in seconds; with --file since the last outcome came.",
)
@click.option("--describe", "about", is_flag=True, help="Show the fields of COMMAND_TYPE.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_context
def send(
    ctx: click.Context,
    command_type: str | None,
    fields: tuple[str, ...],
    file: Path | None,
    wait: bool,
    timeout: float,
    about: bool,
    as_json: bool,
) -> None:
    """Produce a command, or a file of them, onto the commands topic.

    \b
      airside send AcquireLicense account_id=a1 device_id=d1 title_id=t1 --wait
      airside send --file commands.jsonl --wait
      airside send AcquireLicense --describe

    `command_id` (a UUID), `issued_at` and `actor` are filled in where they are missing. A
    command takes effect at most once, however often it is sent: to repeat one, give command_id
    and issued_at as they were.

    A file is checked as a whole before its first command is sent. Its lines count as issued
    when the file was last changed, and their ids come from its content and that time: sent
    again as it is, after a crash for example, it takes effect once; `touch` it to mean it anew.
    """
    if about:
        click.echo("\n".join(describe(command_type or "")))
        return
    if (command_type is None) == (file is None):
        raise click.UsageError("Give either COMMAND_TYPE with FIELD=VALUE…, or --file.")
    with open_deployment(ctx.obj) as deployment:
        if file is not None:
            code = send_file(deployment, file, timeout if wait else None, as_json=as_json)
        else:
            command = parse_assignments(
                fields,
                command_type or "",
                command_id=new_id(),
                issued_at=deployment.clock(),
                actor="member",
            )
            told = send_one(deployment, command, wait_seconds=timeout if wait else None)
            code = tell(told, waited=wait, as_json=as_json)
    ctx.exit(code)


def send_file(
    deployment: Deployment, file: Path, wait_seconds: float | None, *, as_json: bool
) -> int:
    """Check the file, send it, and wait for its outcomes; the exit code."""
    started = time.monotonic()
    with opened(file, deployment.clock()) as source:
        total = check(source)
        sent: list[Command] = []
        done = 0
        with (
            deployment.producer() as producer,
            progress("sent", total, quiet=as_json) as advance,
        ):
            commands = parsed(source)
            while some := list(islice(commands, BATCH_COMMANDS)):
                producer.send(some)
                done += len(some)
                advance(done)
                if wait_seconds is not None:
                    sent += some
    outcomes: Counter[str] = Counter()
    distinct = {command.command_id for command in sent}
    if wait_seconds is not None:
        with (
            deployment.reader() as reader,
            progress("outcomes", len(distinct), quiet=as_json) as heard,
        ):
            found = wait_for(
                reader,
                sent,
                shards=deployment.shards,
                timeout_seconds=wait_seconds,
                heard=heard,
            )
        outcomes.update(
            f"refused: {row.code}" if row.status == "refused" else row.status
            for row in found.values()
        )
    missing = len(distinct) - outcomes.total()
    seconds = time.monotonic() - started
    report(Summary(total, seconds, dict(outcomes.most_common()), missing), as_json=as_json)
    if missing:
        return NO_OUTCOME
    return REFUSED if any(name.startswith("refused") for name in outcomes) else 0


def report(summary: Summary, *, as_json: bool) -> None:
    """The summary, as a table or as JSON."""
    if as_json:
        show_json(summary)
        return
    rate = summary.commands / max(summary.seconds, 1e-6)
    click.echo(f"{summary.commands:,} commands in {summary.seconds:.1f} s ({rate:,.0f}/s)")
    if summary.outcomes or summary.without_outcome:
        rows = list(summary.outcomes.items())
        if summary.without_outcome:
            rows.append(
                ("no outcome yet: are handler and projector running?", summary.without_outcome)
            )
        show_table("Outcomes", ["outcome", "commands"], rows)
