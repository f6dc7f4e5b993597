"""What became of a command."""

import msgspec
from msgspec import Struct

from projectors.outcomes import PROJECTION, Outcome, row_key
from queries.explain import explain
from queries.reader import ANYTHING, AtLeast, Reader, Standing
from schemas.errors import NotFound


class OutcomeAnswer(Struct, frozen=True):
    """One command's outcome, and in words why it was refused."""

    command_id: str
    account_id: str
    standing: Standing
    outcome: Outcome
    explanation: str  # "" unless something was refused


def command(
    reader: Reader, command_id: str, account_id: str, *, wanted: AtLeast = ANYTHING
) -> OutcomeAnswer:
    """The outcome of a command of this account. Raises: NotFound, Unavailable."""
    key = row_key(account_id, command_id)
    reading = reader.of_account(PROJECTION, account_id, (key,), wanted)
    row = reading.rows.get(key)
    if row is None:
        raise NotFound(
            f"command {command_id:.60} of account {account_id:.60}: no outcome as of version "
            f"{reading.standing.version} of the shard. It was not handled yet, was parked "
            "(`airside parked`), or was never sent."
        )
    return OutcomeAnswer(
        command_id=command_id,
        account_id=account_id,
        standing=reading.standing,
        outcome=row,
        explanation=explain_refusal(row),
    )


def explain_refusal(outcome: Outcome) -> str:
    """The refusal in words, from the row alone; "" for a command that was not refused."""
    if not outcome.code:
        return ""
    return explain(msgspec.structs.asdict(outcome), outcome.catalog_version)
