"""`airside send`: produce commands onto the commands topic, one or a file of them."""

import hashlib
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import click
from msgspec import Struct

from airside.cli.output import console, progress, show_json, table
from airside.cli.sending import NO_OUTCOME, REFUSED, WAIT_SECONDS, send_one, tell
from airside.outcomes import wait_for
from airside.wiring import Deployment, open_deployment
from schemas.envelope import Command, new_id
from schemas.errors import Invalid
from schemas.parse import describe, parse_assignments, parse_command_line

BATCH_COMMANDS = 1_000  # produced at once
FINDINGS_MAX = 20  # bad lines that are told one by one
LINE_BYTES_MAX = 1_000_000
BLOCK_BYTES = 1 << 20


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
    type=click.FloatRange(0),
    default=WAIT_SECONDS,
    show_default=True,
    help="How long to wait, in seconds; with --file since the last command was sent.",
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

    `command_id` (a UUID), `issued_at` and `actor` are filled in where they are missing. Sending
    the same command_id again is safe: it takes effect at most once. Lines of a file without a
    command_id get one that is derived from the file's content and the line's number, so the
    same file sent twice takes effect once.

    A file is checked as a whole before its first command is sent.
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
    with seekable(file) as lines:
        total = check(deployment, lines)
        sent: list[Command] = []
        done = 0
        with (
            deployment.producer() as producer,
            progress("sent", total, quiet=as_json) as advance,
        ):
            commands = parsed(deployment, lines)
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
            rows.append(("no outcome yet (is `airside up` running?)", summary.without_outcome))
        console().print(table("Outcomes", ["outcome", "commands"], rows))


def check(deployment: Deployment, lines: BinaryIO) -> int:
    """How many commands the file has. Raises: Invalid with every bad line, up to a bound."""
    findings: list[str] = []
    total = 0
    for item in parsed_or_reason(deployment, lines):
        if isinstance(item, str):
            findings.append(item)
            if len(findings) >= FINDINGS_MAX:
                findings.append(f"… and perhaps more: these are the first {FINDINGS_MAX}.")
                break
        else:
            total += 1
    if findings:
        raise Invalid("\n".join([*findings, "Nothing was sent."]))
    return total


def parsed(deployment: Deployment, lines: BinaryIO) -> Iterator[Command]:
    """The commands of a file that was checked."""
    for item in parsed_or_reason(deployment, lines):
        if isinstance(item, str):
            raise Invalid(f"{item}\nThe file changed while it was sent: send it again.")
        yield item


def parsed_or_reason(deployment: Deployment, lines: BinaryIO) -> Iterator[Command | str]:
    """Each line's command, or what is wrong with it; blank lines are skipped."""
    digest = uuid.uuid5(uuid.NAMESPACE_OID, digest_of(lines))
    issued_at = deployment.clock()
    lines.seek(0)
    for number, line in enumerate(lines_of(lines), 1):
        if line.isspace():
            continue
        if len(line) > LINE_BYTES_MAX:
            yield f"line {number}: over {LINE_BYTES_MAX:,} bytes, which no command needs"
            continue
        try:
            yield parse_command_line(
                line,
                command_id=uuid.uuid5(digest, str(number)).hex,
                issued_at=issued_at,
                actor="member",
            )
        except Invalid as error:
            yield f"line {number}: {error}"


def lines_of(lines: BinaryIO) -> Iterator[bytes]:
    """Each line; of one that is too long only the beginning, one byte more than is allowed."""
    while line := lines.readline(LINE_BYTES_MAX + 1):
        yield line
        while line and not line.endswith(b"\n"):
            line = lines.readline(BLOCK_BYTES)


def digest_of(lines: BinaryIO) -> str:
    """The file's content as a digest."""
    lines.seek(0)
    digest = hashlib.sha256()
    while block := lines.read(BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


@contextmanager
def seekable(file: Path) -> Iterator[BinaryIO]:
    """The file, or a copy of standard input, since it is read more than once."""
    if str(file) != "-":
        with file.open("rb") as lines:
            yield lines
        return
    with TemporaryDirectory(prefix="airside-") as folder:
        copy = Path(folder) / "commands.jsonl"
        with copy.open("wb") as out:
            while block := sys.stdin.buffer.read(BLOCK_BYTES):
                out.write(block)
        with copy.open("rb") as lines:
            yield lines
