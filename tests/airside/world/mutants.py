"""The pipeline, broken on purpose: each mutant is one function that does the wrong thing.

Every one leaves out, or turns round, something that a rule of the pipeline demands.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import commands.handler
import commands.intake
import commands.snapshots
import projectors.folding
from airside.adapters.memory_event_store import MemoryEventStore
from airside.adapters.memory_view_store import MemoryViewStore
from airside.world.late_index import LateIndexStore
from commands.batch import BatchHandler
from commands.cache import StreamCache
from commands.desk import Desk
from commands.handler import ShardHandler
from commands.outbox import Outbox
from commands.snapshots import StreamReader
from commands.stream import Stream
from commands.tenure import Tenure
from projectors.arriving import Arriving
from projectors.rows import RowCache
from projectors.stored_shard import StoredShard
from projectors.worker import ShardProjector
from tests.airside.world import broken_reading as reading
from tests.airside.world import broken_writing as writing

SEEDS_MAX = 400  # worlds, within which each is caught


@dataclass(frozen=True)
class Mutant:
    """What it does wrong, whose function that is, and what stands in its place."""

    name: str
    owner: Any
    function: str
    instead: Callable[..., Any]

    also: tuple[Any, str, Callable[..., Any]] | None = None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Everything runs on the broken code meanwhile."""
        with ExitStack() as held:
            held.enter_context(patch.object(self.owner, self.function, self.instead))
            if self.also is not None:
                held.enter_context(patch.object(*self.also))
            yield


MUTANTS: tuple[Mutant, ...] = (
    Mutant("publish before the commit", ShardHandler, "send", writing.publish_before_commit),
    Mutant("no fence at the commit", MemoryEventStore, "commit", writing.commit_without_fence),
    Mutant("no ring of command ids", Stream, "is_repeat", writing.no_ring),
    Mutant("publish the newest first", Outbox, "put", writing.put_in_front),
    Mutant("send again only what is new", Outbox, "_start_over", writing.send_only_what_is_new),
    Mutant(
        "send again in the wrong order",
        Outbox,
        "_start_over",
        writing.send_again_the_last_first,
    ),
    Mutant(
        "resume publishes nothing", LateIndexStore, "resume", writing.resume_publishes_nothing
    ),
    Mutant("resume does not index", LateIndexStore, "resume", writing.resume_indexes_nothing),
    Mutant(
        "settled when indexed, not published", Tenure, "settled", writing.settled_when_indexed
    ),
    Mutant(
        "evict what is not indexed", StreamCache, "evict", writing.evict_what_is_not_indexed
    ),
    Mutant("cache kept after a fence", ShardHandler, "_moved", writing.moved_keeps_everything),
    Mutant("unknown taken for applied", commands.handler, "write", writing.unknown_is_applied),
    Mutant("tentative state kept", ShardHandler, "commit", writing.unknown_leaks),
    Mutant(
        "held keys go on",
        BatchHandler,
        "_take",
        writing.take_without_holding,
        (commands.intake, "decided_on", writing.decide_on_all),
    ),
    Mutant("batch decided on one state", Desk, "_stream", writing.version_of_the_shard),
    Mutant("checkpoint apart from rows", MemoryViewStore, "save", reading.checkpoint_apart),
    Mutant("no fence at the save", MemoryViewStore, "save", reading.save_without_fence),
    Mutant("rows of any checkpoint", StoredShard, "read", reading.rows_of_any_checkpoint),
    Mutant("memory kept after a save", ShardProjector, "forget", reading.forget_nothing),
    Mutant("never seek back", Arriving, "seek", reading.seek_once),
    Mutant(
        "repeats folded again", RowCache, "fold", reading.fold_of(repeats=True, holes=False)
    ),
    Mutant("holes stepped over", RowCache, "fold", reading.fold_of(repeats=False, holes=True)),
    Mutant("held rows forgotten", projectors.folding, "held_rows", reading.every_row_is_free),
    Mutant(
        "snapshot of any code", commands.snapshots, "fingerprint_of", writing.one_code_for_all
    ),
    Mutant("acknowledged when sent", Outbox, "_collect", writing.acknowledged_when_sent),
    Mutant(
        "snapshot of one event more", StreamReader, "snapshot", writing.snapshot_of_one_more
    ),
    Mutant("parked and not kept", BatchHandler, "_keep_parked", writing.nothing_is_kept_parked),
    Mutant("successors given up", BatchHandler, "_unpark", writing.discard_all),
    Mutant("an idle worker never looks", ShardProjector, "_look", reading.never_look),
)
