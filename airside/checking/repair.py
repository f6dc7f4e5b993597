"""Mends what a check found: publishes what the topic lacks, rewrites rows that differ.

Commits are never touched. Events are published in order from the first missing one on, so that
a reader that stopped there gets all of them; to everybody else they are repeats. Only what the
handler itself knows to be published is sent, so its own first publications stay in order.

A row is rewritten under the checkpoint that it was compared at, in one conditional save which
also sets the checkpoint's offset back by one record. That record is a repeat to whoever goes on
there; but a worker which still has the old rows in memory finds another checkpoint than it
believes in, is refused, and loads what is right now (PROTOCOL.md, R1 and R2).
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from msgspec import Struct, field, structs

from airside.checking.checking import bounds
from airside.checking.found import Found, Meter, Sides, numbers
from airside.checking.reading import PAGE, record_at, stretches
from airside.checking.rows import Living, ShardRows, shard_rows
from airside.checking.topic import TopicCheck
from commands.outbox import Outbox
from projectors.verification import DIGEST, Difference
from projectors.view_store import Checkpoint
from schemas.errors import Contradiction, Fenced, Hole, Moved, OutcomeUnknown, Unavailable
from schemas.record import EVENTS_TOPIC

PUBLISH_SECONDS_MAX = 60.0  # without one more acknowledged
PAUSE_SECONDS = 0.01
SAVES_MAX = 100  # of the same rows, each beaten by a worker's
ROUNDS_MAX = 20  # of FAULTS_MAX rows
SHOWN_MAX = 10  # rows, as they were and as they are


class Healed(Struct):
    """What became of the rows of one shard of one generation."""

    generation: str  # `downloads.3`
    shard: int
    compared: int = 0  # rows
    rewritten: int = 0
    shown: list[Difference] = field(default_factory=list)  # the first of these
    incomplete: list[str] = field(default_factory=list)  # rows that an event is parked for
    left: list[str] = field(default_factory=list)  # those of them that differ: not rewritten
    digest_set: bool = False  # the one kept beside the rows was wrong, and is right now
    given_up: str = ""  # why


def repair(sides: Sides, founds: Sequence[Found]) -> list[str]:
    """Mend what can be mended of these; what was done and what could not, in words.

    Raises: Unavailable; Moved where workers are too busy with the rows: do it again later.
    """
    quiet = Meter(0, lambda done, total: None)
    done = []
    for found in founds:
        if found.check == "topic" and found.fault_count:
            done += _publish(sides, found.shard, quiet)
        elif found.check == "rows" and found.fault_count:
            done += _told(sides, found)
    return done


def _publish(sides: Sides, shard: int, quiet: Meter) -> list[str]:
    bound, _ = bounds(sides, shard)
    check = TopicCheck(sides, shard, bound)
    check.run(quiet)
    first, last = check.next_seq, bound.settled_seq
    if first > last or check.is_unknown:
        return []
    open_publisher = partial(sides.topics.publisher, EVENTS_TOPIC, shard)
    outbox = Outbox(open_publisher, published_through=0)
    with closing(outbox):
        parts = stretches(sides.store, shard, after_seq=first - 1, through=last)
        for number, part in enumerate(parts, 1):
            if isinstance(part, range):
                missing = numbers(part[0], part[-1])
                return [f"shard {shard}: {missing} is not in the store and cannot be published"]
            outbox.put(number, part)
            _pump(outbox, number, shard)
    return [f"shard {shard}: published {numbers(first, last)} again, in order"]


def _pump(outbox: Outbox, number: int, shard: int) -> None:
    """Until all of it is acknowledged. Raises: Unavailable."""
    deadline = time.monotonic() + PUBLISH_SECONDS_MAX
    outbox.pump()
    while outbox.published_through < number:
        if time.monotonic() > deadline:
            raise Unavailable(
                f"topic {EVENTS_TOPIC}, partition {shard}: {PAGE} events are not acknowledged "
                f"within {PUBLISH_SECONDS_MAX:.0f} s. Check the log's servers, repair again."
            )
        time.sleep(PAUSE_SECONDS)
        outbox.pump()


def heal(
    sides: Sides,
    living: Living,
    shard: int,
    keys: Sequence[str] | None = None,
    *,
    told: Callable[[int], None] = lambda events: None,
) -> Healed:
    """Make these rows of a living generation what the history says; None: all of the shard.

    `told` hears of every batch how many events it had.

    The whole shard is folded anew either way, in memory: a digest of its rows is kept beside
    the checkpoint, and only such a fold knows what that should be.
    Raises: Unavailable; Moved where a worker is too busy with the rows, or they fell back.
    """
    healed = Healed(living[1].name, shard)
    try:
        with shard_rows(sides, living, shard, keys) as both:
            both.build(both.live_seq(), told)
            _heal(sides, both, healed)
    except (Contradiction, Hole) as why:
        healed.given_up = str(why)
    return healed


def _heal(sides: Sides, both: ShardRows, healed: Healed) -> None:
    for turn in range(ROUNDS_MAX):
        found = both.verify()
        held = both.held()  # their workers would not go on from the row
        different = {one.key: one for one in found.differences}
        if turn == 0:
            healed.compared = found.rows
        healed.incomplete = sorted(filter(both.is_asked_for, held))
        healed.left = sorted(different.keys() & held)
        keys = sorted(filter(both.is_asked_for, different.keys() - held))
        if not keys:
            healed.digest_set = DIGEST in different
            if healed.digest_set:
                _rewrite(sides, both, ())
            return
        for first in range(0, len(keys), PAGE):
            some = keys[first : first + PAGE]
            healed.rewritten += _rewrite(sides, both, some)
            healed.shown += [different[key] for key in some[: SHOWN_MAX - len(healed.shown)]]
    step = f"airside replay {both.live.projection}"
    healed.given_up = f"{ROUNDS_MAX} rounds, and rows differ still. Run: {step}"


def _told(sides: Sides, found: Found) -> list[str]:
    """A shard's rows healed, in words."""
    living = _living(sides, found.generation)
    if living is None:
        return [f"{found.generation} was retired meanwhile"]
    healed = heal(sides, living, found.shard)
    where = f"{found.generation}, shard {found.shard}"
    rewritten, left = f"{healed.rewritten:,} rows rewritten", len(healed.left)
    if healed.given_up:
        return [f"{where}: {rewritten}, then given up: {healed.given_up}"]
    done = [f"{where}: {rewritten}"] if healed.rewritten else []
    if healed.digest_set:
        done.append(f"{where}: the digest kept beside the rows set right")
    if left:
        step = f"airside replay {living[0].name}"
        done.append(f"{where}: {left:,} rows left, since events are parked. Run: {step}")
    return done


def _rewrite(sides: Sides, both: ShardRows, keys: Sequence[str]) -> int:
    """Save these rows as they should be, with the digest that all rows should have.

    Raises: Contradiction, Moved.
    """
    for _ in range(SAVES_MAX):
        live = both.views.rows(both.live, both.shard, keys)
        both.builder.run_until(live.checkpoint.seq)
        right = both.memory.rows(both.rebuilt, both.shard, keys)
        wrong = {key: right.rows[key] for key in keys if live.rows[key] != right.rows[key]}
        digest = right.checkpoint.digest
        if not wrong and live.checkpoint.digest == digest:
            return 0
        checkpoint = _one_record_back(sides, both, live.checkpoint)
        checkpoint = structs.replace(checkpoint, digest=digest)
        try:
            both.views.save(
                both.live,
                both.shard,
                expected=live.checkpoint,
                checkpoint=checkpoint,
                rows=wrong,
            )
            return len(wrong)
        except (Fenced, OutcomeUnknown):
            continue  # a worker was faster, or the next look tells
    raise Moved(
        f"{both.live.name}, shard {both.shard}: its worker saves faster than its rows can be "
        "rewritten. Repair again when it has caught up."
    )


def _one_record_back(sides: Sides, both: ShardRows, checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint, going on one record earlier, where that record is a repeat.

    Raises: Contradiction where it is none: it would be parked a second time.
    """
    offset = checkpoint.offset - 1
    seq: int | None = None
    if offset >= 0:
        record = record_at(sides.topics, EVENTS_TOPIC, both.shard, offset)
        seq = checkpoint.seq if record is None else sides.codec.seq_of(record[3] or b"")
    if seq is None or seq > checkpoint.seq:
        raise Contradiction(
            f"{both.live.name}, shard {both.shard}: there is no event at offset {offset}, so "
            f"its workers cannot be told. Run: airside replay {both.live.projection}"
        )
    return structs.replace(checkpoint, offset=offset)


def _living(sides: Sides, name: str) -> Living | None:
    for projection in sides.projections:
        for generation in sides.views.registry(projection.name).generations:
            if generation.name == name:
                return projection, generation
    return None
