"""The commands topic against the store: every command that was taken has left a trace.

A trace is an event with its id, a place among the parked, or the word of whoever discarded it
from there. A repeat has the trace of the first one, a refusal is an event.
"""

from msgspec import Struct

from airside.checking.found import Found, Meter, Sides
from airside.checking.history import History
from airside.checking.reading import records
from commands.receive import Received, receive
from schemas.record import COMMANDS_TOPIC

SUSPECTS_MAX = 10_000  # looked at twice, of one shard; a piece more
SHOWN_CHARACTERS = 200


class Taken(Struct, frozen=True):
    """The stretch of the commands topic that a shard's handler has behind it."""

    begin: int
    end: int
    next_offset: int


def check_commands(
    sides: Sides, history: History, shard: int, taken: Taken, meter: Meter
) -> Found:
    """Whether every record before the shard's position left a trace."""
    found = Found("commands", shard)
    if taken.next_offset > taken.end:
        what = f"the history goes on there, the topic ends at {taken.end}: an older copy."
        found.fault(f"offset {taken.next_offset}", f"{what} Name the log that belongs to it.")
    if taken.begin:
        found.said.append(f"records before offset {taken.begin} are gone by retention")
    parked = {one.offset for one in sides.store.parked(shard)}
    suspects: list[Received] = []
    end = min(taken.end, taken.next_offset)
    for some in records(sides.topics, COMMANDS_TOPIC, shard, end=end):
        for record in some:
            item = receive(record, shard, sides.shards, sides.codec)
            if not _has_trace(history, parked, item):
                suspects.append(item)
        found.compared += len(some)
        meter.add(len(some))
        if len(suspects) > SUSPECTS_MAX:
            found.said.append(f"given up behind offset {some[-1][0]}: too much is lost")
            break
    if suspects:
        _look_again(sides, found, suspects)
    return found


def _has_trace(history: History, parked: set[int], item: Received) -> bool:
    command = item.command
    if command is not None and history.decided.has(command.account_id, command.command_id):
        return True
    return item.offset in parked or item.offset in history.discarded


def _look_again(sides: Sides, found: Found, suspects: list[Received]) -> None:
    """What was parked when we read the history may have been handled before we looked there."""
    sides.store.resume(found.shard)  # all that is committed is in the index
    parked = {one.offset for one in sides.store.parked(found.shard)}
    for item in suspects:
        command = item.command
        if item.offset in parked or (command is not None and _is_in_history(sides, item)):
            continue
        if command is None:
            what = f"neither parked nor discarded. {item.reason[:SHOWN_CHARACTERS]}"
        else:
            what = (
                f"lost: {type(command).__name__} {command.command_id} of account "
                f"{item.account_id} left no event. Send it again."
            )
        found.fault(f"offset {item.offset}", what)


def _is_in_history(sides: Sides, item: Received) -> bool:
    command, decode = item.command, sides.codec.decode_event
    if command is None:
        return False
    events = sides.store.history(command.account_id)
    return any(decode(event.data).command_id == command.command_id for event in events)
