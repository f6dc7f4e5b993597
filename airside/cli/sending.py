"""What the verbs that produce commands share: produce, wait, tell what became of it."""

import getpass
import os
from typing import Any

import click
from msgspec import Struct

from airside.cli import answers
from airside.cli.output import show_json
from airside.outcomes import wait_for
from airside.wiring import Deployment
from commands.event_store import Parked
from projectors.outcomes import Outcome
from queries.outcomes import explain_refusal
from schemas.envelope import ID_CHARACTERS_MAX, Command, new_id
from schemas.record import shard_of

PRODUCED, REFUSED, NO_OUTCOME, COULD_NOT = 0, 3, 4, 1  # exit codes
WAIT_SECONDS = 10.0


class Told(Struct, frozen=True, omit_defaults=True):
    """What the sender of one command is told."""

    command_id: str
    account_id: str
    shard: int
    offset: int
    outcome: Outcome | None = None
    token: str | None = None  # shard:seq, for --min-version of a query
    explanation: str = ""
    parked: str = ""  # why, where it is parked


def envelope(deployment: Deployment, account_id: str) -> dict[str, Any]:
    """The envelope of an operator's command."""
    return {
        "command_id": new_id(),
        "account_id": account_id,
        "issued_at": deployment.clock(),
        "actor": f"operator:{user_name()}"[:ID_CHARACTERS_MAX],
    }


def user_name() -> str:
    """Who sits at the keyboard; in a container without names, the number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def send_one(deployment: Deployment, command: Command, *, wait_seconds: float | None) -> Told:
    """Produce one command; wait for its outcome unless `wait_seconds` is None."""
    shard = shard_of(command.account_id, deployment.shards)
    with deployment.producer() as producer:
        offset = producer.send([command])[shard]
    told = Told(command.command_id, command.account_id, shard, offset)
    if wait_seconds is None:
        return told
    with deployment.reader() as reader:
        found = wait_for(
            reader, [command], shards=deployment.shards, timeout_seconds=wait_seconds
        )
    outcome = found.get(command.command_id)
    if outcome is None:
        parked = parked_at(deployment, shard, command.account_id, offset)
        return Told(*told_so_far(told), parked=parked.reason if parked else "")
    return Told(
        *told_so_far(told),
        outcome=outcome,
        token=f"{shard}:{outcome.seq}",
        explanation=explain_refusal(outcome),
    )


def told_so_far(told: Told) -> tuple[str, str, int, int]:
    """Where the command landed."""
    return told.command_id, told.account_id, told.shard, told.offset


def parked_at(
    deployment: Deployment, shard: int, account_id: str, offset: int
) -> Parked | None:
    """The parked record at this offset, if the handler could not handle it."""
    with deployment.event_store() as store:
        return next((p for p in store.parked(shard, account_id) if p.offset == offset), None)


def tell(told: Told, *, waited: bool, as_json: bool) -> int:
    """Show it; the exit code."""
    if as_json:
        show_json(told)
    elif told.outcome is not None:
        answers.outcome_row(told.outcome)
        click.echo(
            f"  command {told.command_id}, read your writes with --min-version {told.token}"
        )
    else:
        click.echo(
            f"command {told.command_id} is on the topic: partition {told.shard}, "
            f"offset {told.offset}"
        )
    return verdict(told, waited=waited)


def verdict(told: Told, *, waited: bool) -> int:
    """The exit code, with what to do next on standard error."""
    if not waited:
        return PRODUCED
    if told.parked:
        click.echo(
            f"parked: {told.parked}. See `airside parked --account {told.account_id}`.",
            err=True,
        )
        return COULD_NOT
    if told.outcome is None:
        click.echo(
            "no outcome within the time limit. Are handler and projector running (`airside "
            "up`)? It will be handled when they are; ask with: airside query command "
            f"{told.command_id} --account {told.account_id}",
            err=True,
        )
        return NO_OUTCOME
    return REFUSED if told.outcome.status == "refused" else PRODUCED
