"""`airside query`: the questions people ask, answered from the read models."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

import click

from airside.belonging import check_belonging
from airside.cli import answers
from airside.cli.output import Id, Seconds, show_json
from airside.dry_running import dry_run
from airside.settings import Settings
from airside.wiring import open_existing
from queries import across
from queries.devices import devices as ask_devices
from queries.downloads import downloads as ask_downloads
from queries.licenses import licenses as ask_licenses
from queries.outcomes import command as ask_command
from queries.reader import ANYTHING, WAIT_SECONDS, WAIT_SECONDS_MAX, AtLeast, Reader, at_least
from queries.timeline import timeline as ask_timeline
from schemas.envelope import parse_id
from schemas.errors import Invalid

REFUSED = 3  # exit code
STATES = ("active", "expired", "released", "revoked")


@dataclass(frozen=True, slots=True)
class Asker:
    """What every query was asked with."""

    settings: Settings
    wanted: AtLeast
    generation: str | None
    as_json: bool

    def answer(
        self,
        projection: str,
        ask: Callable[[Reader, int], Any],
        show: Callable[[Any], None],
    ) -> None:
        """Ask the read models as of now, or as of the chosen generation, and show it.

        Raises: Contradiction where they are of another history than the event store's.
        """
        with open_existing(self.settings) as deployment:
            if why := check_belonging(deployment, projection):
                click.echo(f"not compared with the event store: {why}", err=True)
            with deployment.reader(self.generation) as reader:
                found = ask(reader, reader.moment(projection, deployment.clock()))
        if self.as_json:
            show_json(found)
        else:
            show(found)


def asking(function: Callable[..., None]) -> Callable[..., None]:
    """Give a query the options of all: it is called with an `Asker`."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
    @click.option(
        "--generation",
        metavar="NUMBER|LABEL",
        help="Ask another generation than the served one (`airside projections` lists them). "
        "One that was built with --as-of answers as of that instant.",
    )
    @click.option(
        "--wait-seconds",
        type=Seconds(0, WAIT_SECONDS_MAX),
        default=WAIT_SECONDS,
        show_default=True,
        help="How long to wait for --min-version.",
    )
    @click.option(
        "--min-version",
        metavar="SHARD:SEQ",
        help="Wait until the answer holds this event: the token that `airside send --wait` "
        "prints. When time runs out the answer comes all the same, and says what it lacks.",
    )
    @click.pass_obj
    @wraps(function)
    def verb(
        settings: Settings,
        /,
        min_version: str | None,
        wait_seconds: float,
        generation: str | None,
        as_json: bool,
        **options: Any,
    ) -> None:
        wanted = ANYTHING if min_version is None else at_least(min_version, wait_seconds)
        function(Asker(settings, wanted, generation, as_json), **options)

    return verb


@click.group()
def query() -> None:
    """Ask the read models. Every answer says from when it is.

    Tables are for people; --json prints one object for programs. Answers lag a little behind
    the commands: give the token of a command as --min-version to read your own writes.
    """


@query.command()
@click.argument("account_id", type=Id())
@click.option("--title", "title_id", type=Id(), help="Only this title.")
@asking
def downloads(
    asker: Asker,
    account_id: str,
    title_id: str | None,
) -> None:
    """How many downloads ACCOUNT_ID has had, what is left, when the next is possible."""
    asker.answer(
        "downloads",
        lambda reader, now: ask_downloads(
            reader, account_id, at=now, title_id=title_id, wanted=asker.wanted
        ),
        answers.downloads,
    )


@query.command()
@click.argument("account_id", type=Id())
@click.option("--device", "device_id", type=Id(), help="Only on this device.")
@click.option("--state", type=click.Choice(STATES), help="Only in this state, as of now.")
@asking
def licenses(
    asker: Asker,
    account_id: str,
    device_id: str | None,
    state: str | None,
) -> None:
    """Which licenses ACCOUNT_ID has: in which state, on which device, until when."""
    asker.answer(
        "licenses",
        lambda reader, now: ask_licenses(
            reader,
            account_id,
            at=now,
            device_id=device_id,
            state=cast(Any, state.upper()) if state else None,
            wanted=asker.wanted,
        ),
        answers.licenses,
    )


@query.command()
@click.argument("account_id", type=Id())
@asking
def devices(
    asker: Asker,
    account_id: str,
) -> None:
    """Which devices ACCOUNT_ID has, which hold downloads, and which slot is free."""
    asker.answer(
        "devices",
        lambda reader, now: ask_devices(reader, account_id, at=now, wanted=asker.wanted),
        answers.devices,
    )


@query.command()
@click.argument("account_id", type=Id())
@click.option("--limit", type=click.IntRange(1, 1_000), default=30, show_default=True)
@click.option("--before", type=int, help="Only what came before this account version.")
@asking
def timeline(
    asker: Asker,
    account_id: str,
    limit: int,
    before: int | None,
) -> None:
    """What happened on ACCOUNT_ID, latest first, with the rule behind each refusal."""
    asker.answer(
        "timeline",
        lambda reader, _: ask_timeline(
            reader, account_id, limit=limit, before=before, wanted=asker.wanted
        ),
        answers.timeline,
    )


@query.command()
@click.argument("command_id")
@click.option("--account", "account_id", type=Id(), required=True, help="Whose command it was.")
@asking
def command(
    asker: Asker,
    command_id: str,
    account_id: str,
) -> None:
    """What became of COMMAND_ID, and in words why it was refused."""
    try:
        compact = parse_id(command_id)
    except ValueError:
        raise Invalid(f"command id {command_id!r:.80} is not a UUID.") from None
    asker.answer(
        "outcomes",
        lambda reader, _: ask_command(reader, compact, account_id, wanted=asker.wanted),
        answers.outcome,
    )


@query.command()
@click.argument("title_id", type=Id())
@asking
def title(asker: Asker, title_id: str) -> None:
    """What happened to the licenses of TITLE_ID, over all accounts."""
    asker.answer(
        "titles",
        lambda reader, _: across.title(reader, title_id, wanted=asker.wanted),
        answers.tally,
    )


@query.command()
@click.argument("studio_id", type=Id())
@asking
def studio(asker: Asker, studio_id: str) -> None:
    """What happened to the licenses of STUDIO_ID, over all accounts."""
    asker.answer(
        "studios",
        lambda reader, _: across.studio(reader, studio_id, wanted=asker.wanted),
        answers.tally,
    )


@query.command()
@click.option(
    "--within", "within_s", type=int, default=3_600, show_default=True, help="Seconds from now."
)
@asking
def expiring(asker: Asker, within_s: int) -> None:
    """Which licenses expire soon, over all accounts."""
    asker.answer(
        "expiring",
        lambda reader, now: across.expiring(reader, within_s, at=now, wanted=asker.wanted),
        answers.expiring,
    )


@query.command()
@asking
def refusals(asker: Asker) -> None:
    """How often each reason for a refusal was given, over all accounts."""
    asker.answer(
        "refusals",
        lambda reader, _: across.refusals(reader, wanted=asker.wanted),
        answers.refusals,
    )


@query.command(name="can-download")
@click.argument("account_id", type=Id())
@click.argument("device_id", type=Id())
@click.argument("title_id", type=Id())
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_context
def can_download(
    ctx: click.Context, account_id: str, device_id: str, title_id: str, as_json: bool
) -> None:
    """Would a download be allowed now? Every rule that would refuse; nothing is written.

    Asked of the write side's own rules on the account's current history. Exits 3 where it
    would be refused.
    """
    with open_existing(ctx.obj) as deployment:
        found = dry_run(deployment, account_id, device_id, title_id)
    if as_json:
        show_json(found)
    else:
        answers.dry_run(found)
    ctx.exit(0 if found.allowed else REFUSED)
