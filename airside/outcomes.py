"""Waiting for what becomes of commands, as their senders see it: in the read models."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from projectors.outcomes import PROJECTION, Outcome, row_key
from queries.reader import Reader
from schemas.envelope import Command
from schemas.errors import Unavailable
from schemas.record import shard_of

ROWS_MAX = 1_000  # asked for at once
POLL_SECONDS_MIN = 0.005
POLL_SECONDS_MAX = 0.1


def wait_for(
    reader: Reader,
    commands: Iterable[Command],
    *,
    shards: int,
    timeout_seconds: float,
    heard: Callable[[int], None] = lambda count: None,
) -> dict[str, Outcome]:
    """The outcomes of these commands by id, as many as came.

    The time is up when none came for so long. Commands of one account and one id have one
    outcome. `heard` is told how many came so far.
    """
    pending: defaultdict[int, dict[str, str]] = defaultdict(dict)  # shard -> id -> account
    for command in commands:
        pending[shard_of(command.account_id, shards)][command.command_id] = command.account_id
    found: dict[str, Outcome] = {}
    deadline = time.monotonic() + timeout_seconds
    pause = POLL_SECONDS_MIN
    while True:
        before = len(found)
        for shard, ids in pending.items():
            for some in chunks(list(ids)):
                found.update(rows_of(reader, {id: ids[id] for id in some}))
            pending[shard] = {id: ids[id] for id in ids if id not in found}
        heard(len(found))
        if len(found) > before:
            deadline = time.monotonic() + timeout_seconds
        if not any(pending.values()) or time.monotonic() >= deadline:
            return found
        pause = POLL_SECONDS_MIN if len(found) > before else min(2 * pause, POLL_SECONDS_MAX)
        time.sleep(pause)


def rows_of(reader: Reader, commands: Mapping[str, str]) -> dict[str, Outcome]:
    """What is there now, by command id; `commands` are id -> account, all of one shard."""
    keys = {row_key(account_id, id): id for id, account_id in commands.items()}
    try:
        rows = reader.of_account(PROJECTION, next(iter(commands.values())), list(keys)).rows
    except Unavailable:
        return {}  # nothing is served yet: the projectors may just be starting
    return {keys[key]: row for key, row in rows.items()}


def chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Slices that one read can hold."""
    return (ids[first : first + ROWS_MAX] for first in range(0, len(ids), ROWS_MAX))
