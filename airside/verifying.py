"""Whether rows are what their workers wrote, shard by shard, while the workers go on.

Beside each shard's checkpoint its worker keeps the digest of all rows (projectors/digest.py).

    1  The digest is computed anew, from rows that are read a chunk at a time. That is exact if
       the checkpoint is afterwards what it was before; a shard that moved is read again.
    2  Where it moved each time, where the two digests are not equal, or where none is kept, all
       rows are compared with a fold of the history in memory, which goes along with a shard
       that moves (checking/rows.py): that names the rows, and needs the code that built them.

The first is as quick as rows can be read, and finds what was changed behind the worker's back.
The second would also find what a worker computed wrongly.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct, field

from airside.checking.found import Sides
from airside.checking.rows import ATTEMPTS_MAX, Living, shard_rows
from projectors.builds import note_verified
from projectors.digest import MODULUS, digest_of
from projectors.fingerprint import fold_fingerprint
from projectors.generations import Role, listed, role
from projectors.parking import NO_ROW
from projectors.projection import Projection
from projectors.verification import DIFFERENCES_MAX, DIGEST, Difference, chunks
from projectors.view_store import Generation, Registry, Verified, ViewStore
from schemas.errors import Moved, NotFound, Permanent

TRIES = 3  # at a shard that moves

Report = Callable[[str, int, int], None]
"""(what, done, total): rows that are read, of all shards; or events that are folded, of one.

A total stays as it was first; where a shard has to be read again, `done` goes back.
"""

READING = "reading rows"


class ShardVerified(Struct):
    """What was found in one shard of one generation."""

    generation: Generation
    role: Role
    shard: int
    rows: int = 0  # looked at
    different: int = 0  # rows, and digests
    differences: Sequence[Difference] = ()  # the first of them; without a key: which is unknown
    incomplete: list[str] = field(default_factory=list)  # rows that an event is parked for
    by_history: bool = False  # rows were compared with the history, not only digested
    moved: int = 0  # times that it moved while it was read
    said: list[str] = field(default_factory=list)  # what is no difference, but good to know
    unverified: str = ""  # why it could not be verified


class Asked(Struct, frozen=True):
    """What to verify; None: all."""

    projections: Sequence[Projection[Any]]
    generation: str | None = None  # its number or its label
    shard: int | None = None


def verify(
    sides: Sides,
    asked: Asked,
    *,
    now_at: int,
    report: Report = lambda what, done, total: None,
) -> list[ShardVerified]:
    """What was found in every shard that was asked for.

    What a generation's shards came to is noted in its registry, if all were looked at.
    Raises: NotFound if there is no such generation or shard; Unavailable.
    """
    shards = _shards(sides, asked.shard)
    chosen = [
        (projection, registry, generation)
        for projection in asked.projections
        for registry in (sides.views.registry(projection.name),)
        for generation in _generations(projection, registry, asked.generation)
    ]
    counts = [
        sides.views.rows(generation, shard, ()).row_count
        for _, _, generation in chosen
        for shard in shards
    ]
    meter = _Meter(report, counts)
    founds: list[ShardVerified] = []
    for projection, registry, generation in chosen:
        its_role, living = role(registry, generation), (projection, generation)
        found = [
            _verified(sides, living, ShardVerified(generation, its_role, shard), meter)
            for shard in shards
        ]
        founds += found
        if asked.shard is None:
            _note(sides, found, now_at)
    return founds


def _shards(sides: Sides, shard: int | None) -> Sequence[int]:
    if shard is None:
        return range(sides.shards)
    if shard >= sides.shards:
        raise NotFound(f"shard {shard}: there are shards 0 to {sides.shards - 1}.")
    return (shard,)


def _generations(
    projection: Projection[Any], registry: Registry, called: str | None
) -> Sequence[Generation]:
    if called is None:
        return registry.generations
    found = registry.called(called)
    if found is None:
        there = listed(registry)
        raise NotFound(f"{projection.name} has no generation {called:.60}. There is: {there}.")
    return (found,)


def _note(sides: Sides, founds: Sequence[ShardVerified], now_at: int) -> None:
    """Note what was found of a whole generation, but hide nothing that a replay has found."""
    generation, its_role = founds[0].generation, founds[0].role
    before = generation.verified
    is_blocked = before is not None and before.different > 0 and not before.accepted
    if its_role == "building" or (its_role == "ready" and is_blocked):
        return
    if any(one.unverified for one in founds):
        return
    rows, different = sum(one.rows for one in founds), sum(one.different for one in founds)
    with suppress(Moved):  # it was retired meanwhile
        note_verified(sides.views, generation, Verified(now_at, rows, different))


def _verified(
    sides: Sides, living: Living, found: ShardVerified, meter: "_Meter"
) -> ShardVerified:
    """Both ways, the second only where the first is not enough."""
    generation = living[1]
    shard = found.shard
    parked = sides.views.parked(generation, shard)
    found.incomplete = sorted({one.key for one in parked if one.key != NO_ROW})
    read = None
    while read is None and found.moved < TRIES:
        read = _read(sides.views, generation, shard, meter)
        found.moved += read is None
    meter.finish()
    if read is not None:
        found.rows = read.rows
        if read.digest == read.kept:
            return found
        if read.kept is not None:
            found.different = 1
            kept, digest = f"{read.kept:032x}".encode(), f"{read.digest:032x}".encode()
            found.differences = (Difference(shard, DIGEST, kept, digest),)
    if generation.fingerprint == fold_fingerprint(living[0], sides.codec):
        _compare(sides, living, found, meter)
        if read is not None and read.kept is None:
            step = f"airside replay {generation.projection}"
            found.said.append(f"an older version kept no digest of its rows. Run: {step}")
    else:
        _explain(found, read, generation.projection)
    return found


class _Read(Struct, frozen=True):
    """All rows of a shard, read while it stood still."""

    rows: int
    digest: int
    kept: int | None  # beside the checkpoint


def _read(
    views: ViewStore, generation: Generation, shard: int, meter: "_Meter"
) -> _Read | None:
    """The digest computed anew; None where the shard moved meanwhile."""
    before = views.rows(generation, shard, ())
    rows = digest = 0
    for keys in chunks(views.keys(generation, shard)):
        found = views.rows(generation, shard, keys)
        if found.checkpoint != before.checkpoint:
            meter.again()
            return None
        digest = (digest + digest_of(found.rows)) % MODULUS
        count = sum(row is not None for row in found.rows.values())
        rows += count
        meter.add(count)
    if views.rows(generation, shard, ()).checkpoint != before.checkpoint:
        meter.again()
        return None
    return _Read(rows, digest, before.checkpoint.digest)


def _compare(sides: Sides, living: Living, found: ShardVerified, meter: "_Meter") -> None:
    """Every row against the history."""
    for _ in range(ATTEMPTS_MAX):
        try:
            with shard_rows(sides, living, found.shard) as both:
                seq = both.live_seq()
                both.build(seq, meter.folding(f"{both.live.name}, shard {both.shard}", seq))
                compared = both.verify()
        except Moved:
            continue
        except Permanent as why:
            found.unverified = f"it cannot be compared with the history: {why}"
            return
        found.by_history = True
        found.rows, found.different = compared.rows, compared.different
        found.differences = compared.differences[:DIFFERENCES_MAX]
        return
    found.unverified = "its rows fell back to an older state, again and again. Verify it later."


def _explain(found: ShardVerified, read: _Read | None, projection: str) -> None:
    """What follows where the rows were built by other code: no row can be named."""
    step = f"Run: airside replay {projection}"
    if read is None:
        found.unverified = (
            f"busy: it moved {found.moved} times while its rows were read, and only the code "
            "that built it could go along. Stop its projectors, then verify it again."
        )
    elif read.kept is None:
        found.unverified = f"an older version built it, and kept no digest of its rows. {step}"
    else:
        found.said.append(f"other code built it, so no row can be named. {step}")


class _Meter:
    """Adds up the rows that are read, and tells; `counts`: how many each shard has."""

    def __init__(self, report: Report, counts: Sequence[int]) -> None:
        self._report = report
        self._counts = deque(counts)
        self._total = sum(counts)
        self._done = self._read = self._told = 0

    def add(self, count: int) -> None:
        """So many more of the shard are read."""
        self._read += count
        self._tell(self._done + min(self._read, self._counts[0]))

    def again(self) -> None:
        """The shard moved: it is read from its first row on."""
        self._read = 0
        self._tell(self._done)

    def finish(self) -> None:
        """On to the next shard, however many rows this one has come to."""
        self._read = 0
        self._done += self._counts.popleft()
        self._tell(self._done)

    def folding(self, of: str, events: int) -> Callable[[int], None]:
        """Hears of batches of a shard's history, of `events` in all."""
        done = 0

        def add(count: int) -> None:
            nonlocal done
            done += count
            if count:
                self._report(f"{of}: folding its history", min(done, events), events)

        return add

    def _tell(self, done: int) -> None:
        if done != self._told:
            self._told = done
            self._report(READING, done, self._total)
