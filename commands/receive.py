"""A record of the commands topic, as far as it can be understood.

What cannot be handled is parked, in order, and holds its key: what follows of that account is
parked behind it until an operator redrives or discards. Its reason begins with one of

    BAD_KEY          no key, not UTF-8, not printable or too long } no account of this shard can
    WRONG_PARTITION  the key belongs to another shard             } claim it: these hold nothing
    TOO_LARGE        a record over its bound, or a decision over a commit's
    UNREADABLE       bytes that are no command this code knows
    INVALID          a command whose content is not allowed
    KEY_MISMATCH     the key is not the command's account
    HISTORY          the account's history cannot be folded
    DECIDER_FAILED   a rule raised: a bug, with its place
    BEHIND           an earlier command of the account is parked
"""

from typing import TypeGuard

from msgspec import Struct

from commands.event_store import COMMIT_BYTES_MAX, Parked, Position
from commands.log import CommandSource
from schemas.codec import Codec
from schemas.commands import DiscardParked, OperatorCommand, RedriveParked
from schemas.envelope import ID_CHARACTERS_MAX, Command
from schemas.errors import Contradiction, Hole, Invalid, Unreadable
from schemas.record import RECORD_BYTES_MAX, Record, shard_of

REASON_CHARACTERS_MAX = 500
ITEM_BYTES_MAX = COMMIT_BYTES_MAX // 2  # the most that one record may add to a commit
OPERATOR_COMMANDS = frozenset((RedriveParked, DiscardParked))


def is_operators(command: Command | None) -> TypeGuard[OperatorCommand]:
    """Whether a command is an operator's. By its very type, since `isinstance` costs more."""
    return type(command) in OPERATOR_COMMANDS


class Received(Struct, frozen=True, gc=False):
    """A record, and the command in it or why there is none."""

    offset: int
    at: int  # append time, ms
    account_id: str  # the key; "" where it is none
    value: bytes
    command: Command | None
    reason: str = ""
    is_homeless: bool = False  # no account of this shard can claim it

    def parked(self, reason: str) -> Parked:
        """This record, set aside. Its bytes stay whole unless no commit could hold them."""
        value = self.value
        if len(value) > ITEM_BYTES_MAX:
            value, reason = b"", f"{reason}. Too large to keep: read it from the topic"
        return Parked(self.offset, self.account_id, self.at, cut(reason), value)


def receive(record: Record, shard: int, shards: int, codec: Codec) -> Received:
    """What a record asks for, and of whom."""
    offset, at, key, value = record
    value = value or b""
    account_id = _account_id(key)
    if account_id is None:
        shown = repr((key or b"")[:ID_CHARACTERS_MAX])
        bound = f"1 to {ID_CHARACTERS_MAX} printable characters"
        reason = f"BAD_KEY: {shown} is no account id of {bound}"
        return Received(offset, at, "", value, None, reason, is_homeless=True)
    home = shard_of(account_id, shards)
    if home != shard:
        reason = f"WRONG_PARTITION: the key belongs to partition {home} of {shards}"
        return Received(offset, at, account_id, value, None, reason, is_homeless=True)
    command, reason = _command(account_id, value, codec)
    return Received(offset, at, account_id, value, command, reason)


def cut(text: str) -> str:
    """A reason or note that is not longer than people read."""
    return text if len(text) <= REASON_CHARACTERS_MAX else f"{text[:REASON_CHARACTERS_MAX]}…"


def _account_id(key: bytes | None) -> str | None:
    try:
        account_id = (key or b"").decode()
    except UnicodeDecodeError:
        return None
    is_name = 1 <= len(account_id) <= ID_CHARACTERS_MAX and account_id.isprintable()
    return account_id if is_name else None


def _command(account_id: str, value: bytes, codec: Codec) -> tuple[Command | None, str]:
    if len(value) > RECORD_BYTES_MAX:
        return None, f"TOO_LARGE: {len(value)} bytes, at most {RECORD_BYTES_MAX}"
    try:
        command = codec.decode_command(value)
    except Unreadable as error:
        return None, f"UNREADABLE: {error}"
    except Invalid as error:
        return None, f"INVALID: {error}"
    if command.account_id != account_id:
        return None, "KEY_MISMATCH: the command is for another account than its key says"
    return command, ""


def check_input(
    source: CommandSource, shard: int, position: Position, *, accept_lost: bool
) -> None:
    """Does the topic still have what comes next, and is it the topic that was handled so far?

    Raises: Hole where commands are gone that were not handled; Contradiction where the topic
    ends before the position; Unavailable.
    """
    begin, end, next_offset = source.begin(), source.end(), position.next_offset
    if next_offset > end:
        raise Contradiction(
            f"shard {shard}: the history goes on at offset {next_offset} of the commands "
            f"topic, which ends at {end}: it is another topic, or an older copy. Name the log "
            "that belongs to this event store."
        )
    if begin > next_offset and not accept_lost:
        raise Hole(
            f"shard {shard}: the commands from offset {next_offset} to {begin - 1} were not "
            "handled and are gone from the topic. Lengthen its retention. What is lost is "
            "known to its senders, who may send it again; to go on: airside handle "
            "--accept-lost"
        )
