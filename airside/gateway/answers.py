"""What the gateway answers: that a command is on the topic, and what became of it."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from projectors.outcomes import Outcome
from queries.outcomes import explain_refusal
from schemas.envelope import Command


class CommandAnswer(Struct, frozen=True, omit_defaults=True):
    """One command that is on the topic. Its outcome, where it was waited for and came."""

    command_id: str
    account_id: str
    issued_at: int  # ms; to repeat the command by other means it must be the same
    outcome: Outcome | None = None
    token: str | None = None  # shard:seq; a query with it as `min_version` sees the outcome
    explanation: str = ""  # why it was refused, in words


class BatchAnswer(Struct, frozen=True, omit_defaults=True):
    """Commands of one batch, in its order."""

    account_id: str
    commands: tuple[CommandAnswer, ...]
    token: str | None = None  # a query with it sees every outcome that is here


def answer_of(command: Command, outcome: Outcome | None, shard: int) -> CommandAnswer:
    """What to say of one command."""
    if outcome is None:
        return CommandAnswer(command.command_id, command.account_id, command.issued_at)
    return CommandAnswer(
        command.command_id,
        command.account_id,
        command.issued_at,
        outcome,
        token_of(shard, outcome.seq),
        explain_refusal(outcome),
    )


def batch_of(
    commands: Sequence[Command], outcomes: Mapping[str, Outcome], shard: int
) -> BatchAnswer:
    """What to say of a batch."""
    last = max((row.seq for row in outcomes.values()), default=None)
    return BatchAnswer(
        commands[0].account_id,
        tuple(answer_of(one, outcomes.get(one.command_id), shard) for one in commands),
        None if last is None else token_of(shard, last),
    )


def token_of(shard: int, seq: int) -> str:
    """A read-your-writes token."""
    return f"{shard}:{seq}"
