"""What the write side's model is made of: a shard, its workers, and effects on their way.

A command is a number; each makes one event, so an event is the command and the version that it
has in its account. Sets of commands are bit masks.
"""

from typing import NamedTuple

Event = tuple[int, int]
"""(command, version in its account)"""

Account = tuple[int, int]
"""An account as a worker has folded it: (version, mask of the commands that it has seen)."""

WHOLE, STUB, DELETED = 0, 1, 2  # what is left of a commit: payload, number only, nothing


class Commit(NamedTuple):
    """One row, or the request to write it."""

    id: int
    number: int
    first_seq: int
    offset: int  # of the next command
    settled: int
    events: tuple[Event, ...]
    left: int = WHOLE


class Worker(NamedTuple):
    """What one worker believes. `number` is -1 while it has yet to resume."""

    number: int = -1  # of the last commit
    seq: int = 0
    offset: int = 0
    cache: tuple[Account | None, ...] = ()  # by account
    ahead: tuple[Account | None, ...] = ()  # loads that were answered and not used yet
    rows: tuple[int, ...] = ()  # by account: what is read of it so far; -1: nothing
    pending: Commit | None = None  # its outcome is unknown
    inserting: tuple[int, ...] = ()  # commits whose rows are on their way into the index
    is_resuming: bool = False  # these are of a predecessor
    unacked: tuple[int, ...] = ()  # seqs that the topic has not acknowledged
    wire: tuple[int, ...] = ()  # seqs sent and not arrived, first in, first out


class State(NamedTuple):
    """Everything."""

    commits: tuple[Commit, ...]
    indexed: int  # mask of the events that have a row
    published: int  # the topic has the seqs up to this one
    workers: tuple[Worker, ...]
    requests: tuple[Commit, ...] = ()  # commits on their way to the store
    ghost: tuple[int, ...] = ()  # the wire of a worker that crashed
    late: tuple[int, ...] = ()  # commits whose inserts were on their way then
    snapshots: tuple[int, ...] = ()  # by account: mask of the commands in its snapshot
    begin: int = 0  # of the commands topic: input before it is deleted
    faults: tuple[int, ...] = ()  # how many of each kind may still happen
    broken: str = ""


class Bounds(NamedTuple):
    """How much can happen."""

    topic: tuple[int, ...]  # the command at each offset; the same number again is a repeat
    accounts: tuple[int, ...]  # the account of each command
    batch_max: int = 1
    crashes: int = 1
    losses: int = 1  # requests that never arrive
    breaks: int = 0  # connections of publishers that break
    evicts: bool = False  # accounts leave the memory
    loads_ahead: bool = False  # accounts are asked for while a commit is pending
    indexes_late: bool = True  # else every event has its row with its commit
    publishes: bool = True  # else every event is on the topic with its commit
    archives: bool = False  # with snapshots, loads in two steps, inserts of dead workers
    deletes_input: bool = False  # the commands topic has a retention

    def __str__(self) -> str:
        named = [f"commands {self.topic} of accounts {self.accounts}"]
        named += [f"batches of {self.batch_max}", f"{self.crashes} crashes"]
        named += [f"{self.losses} lost requests", f"{self.breaks} broken connections"]
        flags = ("evicts", "loads_ahead", "indexes_late", "publishes", "archives")
        named += [name.replace("_", " ") for name in flags if getattr(self, name)]
        return ", ".join(named + ["deletes input"] * self.deletes_input)
