"""`airside parked`: what could not be handled, and what to do about it."""

import click

from airside.cli.output import Id, instant, show_json, show_table
from airside.cli.sending import WAIT_SECONDS, envelope, send_one, tell
from airside.parked_records import all_parked, parked_commands
from airside.wiring import open_existing
from schemas.commands import DiscardParked, RedriveParked


@click.group(invoke_without_command=True)
@click.option("--account", "account_id", type=Id(), help="Only commands of this account.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list for programs, with bytes.")
@click.pass_context
def parked(ctx: click.Context, account_id: str | None, as_json: bool) -> None:
    """Commands and events that could not be handled, with the reason.

    A parked command holds its account: what follows it waits behind it, in order. When the
    cause is mended, `airside parked redrive ACCOUNT` tries them again; `airside parked discard`
    gives one up. A parked event leaves its row as it was; mend the projection and replay it. A
    catalog entry that cannot be read is skipped; load a corrected one.
    """
    if ctx.invoked_subcommand is not None:
        return
    with open_existing(ctx.obj) as deployment:
        if account_id is None:
            found = all_parked(deployment)
        else:
            found = parked_commands(deployment, account_id)
    if as_json:
        show_json(found)
        return
    rows = [
        (one.where, one.shard, one.offset, one.key, instant(one.at), one.size, one.reason)
        for one in found
    ]
    columns = ["where", "shard", "offset", "key", "since (UTC)", "bytes", "reason"]
    show_table(f"{len(found)} parked", columns, rows)


@parked.command()
@click.argument("account_id", type=Id())
@click.option("--wait/--no-wait", default=True, help="Wait for the outcome.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_context
def redrive(ctx: click.Context, account_id: str, wait: bool, as_json: bool) -> None:
    """Try the parked commands of ACCOUNT_ID again, in their order."""
    with open_existing(ctx.obj) as deployment:
        command = RedriveParked(**envelope(deployment, account_id))
        told = send_one(deployment, command, wait_seconds=WAIT_SECONDS if wait else None)
    ctx.exit(tell(told, waited=wait, as_json=as_json))


@parked.command()
@click.argument("account_id", type=Id())
@click.argument("offset", type=click.IntRange(0))
@click.option("--reason", default="", help="Why; kept in the account's timeline.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.option("--wait/--no-wait", default=True, help="Wait for the outcome.")
@click.pass_context
def discard(
    ctx: click.Context, account_id: str, offset: int, reason: str, wait: bool, as_json: bool
) -> None:
    """Give up the parked command of ACCOUNT_ID at OFFSET, so that those behind it can go on."""
    with open_existing(ctx.obj) as deployment:
        envelope_ = envelope(deployment, account_id)
        command = DiscardParked(**envelope_, offset=offset, reason=reason)
        told = send_one(deployment, command, wait_seconds=WAIT_SECONDS if wait else None)
    ctx.exit(tell(told, waited=wait, as_json=as_json))
