"""The laws, checked on what a world has left behind once all is drained.

`airside check` does most of it. What it folds or decides with the pipeline's own code is done
here once more without it: rows by plain calls of the folds, decisions by plain calls of
`decide` on the history before each.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from airside.adapters.memory_event_store import MemoryEventStore
from airside.checking.checking import Asked, check
from airside.checking.found import CHECKS, Sides
from airside.checking.history import DISCARDED
from airside.world.world import SHARDS, World
from commands.receive import OPERATOR_COMMANDS
from projectors.generations import followed
from projectors.projection import Projection
from schemas.codec import CODEC
from schemas.envelope import Command, Event
from schemas.errors import Unreadable
from schemas.events import CommandNoted, CommandRefused, LicenseExpired
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC

BY_THE_ENGINE = ("COMMAND_STALE", "CLOCK_SKEW")  # refusals that no decider gives
COUNT_MAX = 1_000_000


def broken(world: World) -> Iterator[str]:
    """Every law that does not hold, as one sentence each; nothing where all do."""
    yield from _checked(world)
    for shard in range(SHARDS):
        events = history(world, shard)
        yield from _gapless(shard, events)
        yield from _decisions(world, shard, events)
        yield from _expiries(shard, events)
        yield from _parked(world, shard, events)
        for projection in world.domain.projections:
            yield from _rows(world, projection, shard, events)


def history(world: World, shard: int) -> list[Event]:
    """A shard's events."""
    found = MemoryEventStore.read(world.store, shard, after_seq=0, count_max=COUNT_MAX)
    return [CODEC.decode_event(event.data) for event in found]


def _checked(world: World) -> Iterator[str]:
    """Store, index, topic, commands and rows, as `airside check` sees them."""
    sides = Sides(world.store, world.log, world.views, SHARDS, CODEC, world.domain.projections)
    whole = [s for s in range(SHARDS) if not world.log.begin(EVENTS_TOPIC, s)]
    cut = [s for s in range(SHARDS) if s not in whole]  # where a topic begins is a guess then
    found = check(sides, Asked(tuple(whole)))
    found += check(sides, Asked(tuple(cut), frozenset(CHECKS) - {"topic"}))
    for one in found:
        for fault in one.faults:
            yield f"{one.check}: shard {one.shard}, {fault.place}: {fault.what}"
        if one.early:
            yield f"order: shard {one.shard}: {one.early} events were published too early."
        if one.waiting:
            yield f"published: shard {one.shard}: {one.waiting} events never were."


def _gapless(shard: int, events: Sequence[Event]) -> Iterator[str]:
    """Seqs, versions; and time does not run backwards within an account."""
    last: dict[str, Event] = {}
    for number, event in enumerate(events, 1):
        before = last.get(event.account_id)
        if event.seq != number:
            yield f"gapless: shard {shard}: seq {event.seq} is the {number}-th event."
        if event.version != (before.version if before else 0) + 1:
            yield f"gapless: account {event.account_id}: version {event.version} at {number}."
        if before is not None and event.at < before.at:
            yield f"time: account {event.account_id}: version {event.version} is earlier."
        last[event.account_id] = event


def _decisions(world: World, shard: int, events: Sequence[Event]) -> Iterator[str]:
    """Every command's events are what `decide` says on the history before them."""
    decider = world.domain.decider
    asked = dict(_asked(world, shard))
    by_account: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_account[event.account_id].append(event)
    for account_id, own in by_account.items():
        state = decider.initial(account_id)
        for said in _runs(own):
            first = said[0]
            command = asked.get(first.command_id)
            if command is None:
                yield f"decided: account {account_id}: nobody sent {first.command_id}."
            elif not _is_by_the_engine(first):
                context = world.domain.context(first.catalog_version)
                wanted = decider.decide(state, command, context, first.at)
                if [_bare(e) for e in said] != [_bare(e) for e in wanted]:
                    yield (
                        f"decided: account {account_id}, version {first.version}: "
                        f"{type(command).__name__} came to what does not follow from the "
                        "history before it."
                    )
            for event in said:
                state = decider.evolve(state, event)


def _asked(world: World, shard: int) -> Iterator[tuple[str, Command]]:
    for _, _, _, value in world.log.records(COMMANDS_TOPIC, shard):
        try:
            command = CODEC.decode_command(value or b"")
        except Unreadable:
            continue
        yield command.command_id, command


def _runs(events: Sequence[Event]) -> Iterator[list[Event]]:
    run: list[Event] = []
    for event in events:
        if run and (event.command_id, event.at) != (run[0].command_id, run[0].at):
            yield run
            run = []
        run.append(event)
    if run:
        yield run


def _is_by_the_engine(event: Event) -> bool:
    if isinstance(event, CommandRefused):
        return event.code in BY_THE_ENGINE
    is_operators = {kind.__name__ for kind in OPERATOR_COMMANDS}
    return isinstance(event, CommandNoted) and (
        event.command_type in is_operators or DISCARDED.match(event.note) is not None
    )


def _bare(event: Event) -> Event:
    """What `decide` said, without what the handler stamps on it."""
    return msgspec.structs.replace(
        event,
        seq=0,
        version=0,
        at=0,
        issued_at=0,
        catalog_version=0,
        command_id="",
        account_id="",
        actor="",
    )


def _expiries(shard: int, events: Sequence[Event]) -> Iterator[str]:
    expired: set[str] = set()
    for event in events:
        if isinstance(event, LicenseExpired):
            if event.license_id in expired:
                yield f"expiry: shard {shard}, seq {event.seq}: it expired before."
            expired.add(event.license_id)


def _parked(world: World, shard: int, events: Sequence[Event]) -> Iterator[str]:
    """Of an account with something parked everything behind that is parked, too."""
    kept = list(MemoryEventStore.parked(world.store, shard))
    offsets = {one.offset for one in kept}
    first: dict[str, int] = {}
    for one in kept:
        first.setdefault(one.account_id, one.offset)
    offsets |= {
        int(found[1])
        for event in events
        if isinstance(event, CommandNoted) and (found := DISCARDED.match(event.note))
    }
    for offset, _, key, value in world.log.records(COMMANDS_TOPIC, shard):
        account_id = (key or b"").decode()
        if offset <= first.get(account_id, offset) or offset in offsets:
            continue
        if not _is_operators(value):
            yield f"parked: shard {shard}, offset {offset}: it overtook what holds its key."


def _is_operators(value: bytes | None) -> bool:
    try:
        return type(CODEC.decode_command(value or b"")) in OPERATOR_COMMANDS
    except Unreadable:
        return False


def _rows(
    world: World, projection: Projection[Any], shard: int, events: Sequence[Event]
) -> Iterator[str]:
    """Rows of every generation that is kept up to date: those of a plain fold, byte by byte."""
    wanted = plain_fold(projection, events)
    for generation in followed(world.views.registry(projection.name)):
        keys = list(world.views.keys(generation, shard))
        read = world.views.rows(generation, shard, keys)
        found = {key: row for key, row in read.rows.items() if row is not None}
        if read.checkpoint.seq != len(events):
            seq = read.checkpoint.seq
            yield f"rows: {generation.name}, shard {shard}: at seq {seq} of {len(events)}."
        for key in sorted(found.keys() | wanted.keys()):
            if found.get(key) != wanted.get(key):
                yield f"rows: {generation.name}, shard {shard}, row {key}: not the history's."


def plain_fold(projection: Projection[Any], events: Sequence[Event]) -> dict[str, bytes]:
    """The rows that a history means: the projection's folds and nothing else."""
    rows: dict[str, bytes] = {}
    held: set[str] = set()
    for event in events:
        fold = projection.folds.get(type(event))
        for key in projection.keys(event) if fold is not None else ():
            if key in held or fold is None:
                continue
            try:
                row = fold(_row(projection, rows, key), event)
            except Exception:  # noqa: BLE001 (a poison event: whatever its fold raises)
                held.add(key)
                continue
            rows.pop(key, None)
            if row is not None:
                rows[key] = msgspec.json.encode(row)
    return rows


def _row(projection: Projection[Any], rows: dict[str, bytes], key: str) -> Any:
    found = rows.get(key)
    if found is None:
        return projection.initial(key)
    return msgspec.json.decode(found, type=projection.row_type)
