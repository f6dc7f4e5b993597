"""The reader: rows of the served generation, or a chosen one, with what they are worth.

Every query goes through it, so that every answer says from when it is, and every query can wait
for an event that the asker knows to have been stored (read your writes).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct

from projectors.projection import Projection
from projectors.view_store import Generation, Rows, ViewStore
from queries.finding import (
    Each,
    Finding,
    Found,
    Need,
    Pause,
    RegistryOf,
    RowsOf,
    Step,
)
from schemas.errors import Invalid, NotFound, Unavailable
from schemas.record import shard_of

V = TypeVar("V")

WAIT_SECONDS = 5.0  # how long a query waits for `min_version`, unless it says otherwise
WAIT_SECONDS_MAX = 60.0


class AtLeast(Struct, frozen=True):
    """What the asker has seen already: the answer should hold this shard's event `seq`.

    When the time limit runs out the answer comes all the same, and says what it lacks.
    """

    seq: int = 0
    shard: int | None = None  # None: the shard of the account that is asked about
    wait_seconds: float = WAIT_SECONDS


ANYTHING = AtLeast()


def at_least(token: str | int, wait_seconds: float = WAIT_SECONDS) -> AtLeast:
    """From a read-your-writes token, `shard:seq`, or a seq alone. Raises: Invalid."""
    shard, colon, seq = str(token).rpartition(":")
    digits = seq + shard
    if not (seq and digits.isascii() and digits.isdecimal()) or (colon and not shard):
        raise Invalid(
            f"min_version {token!r:.60}: give the `shard:seq` of a command's outcome."
        )
    if len(digits) > 24:
        raise Invalid(f"min_version {token!r:.60} is no position of any shard.")
    if not 0 <= wait_seconds <= WAIT_SECONDS_MAX:
        raise Invalid(f"cannot wait {wait_seconds} s: at most {WAIT_SECONDS_MAX:.0f} s.")
    return AtLeast(int(seq), int(shard) if shard else None, wait_seconds)


class Standing(Struct, frozen=True, kw_only=True):
    """From when an answer is."""

    as_of: int  # `at` of the last event folded, ms; 0: none yet
    version: int  # the shard's seq, as far as it is folded; across shards: the sum
    generation: str  # `downloads.3`
    fresh: bool = True  # it has the `min_version` that was asked for
    behind: int = 0  # events that are missing to it


@dataclass(frozen=True, slots=True)
class Reading(Generic[V]):
    """Rows, and from when they are."""

    rows: Mapping[str, V]  # only those that exist
    standing: Standing


class Source(Protocol):
    """Where a reader's rows come from."""

    def find(self, need: Need) -> Found:
        """What is needed, by the rules of queries/finding.py. Raises: Unavailable, NotFound."""

    def moment(self, projection: str, now_at: int) -> int:
        """The instant that answers are for."""

    def keys(self, projection: str) -> set[str]:
        """Every key of the served generation that has a row in some shard."""


class Reader:
    """Reads rows. Safe to share between threads if its source is."""

    def __init__(self, source: Source, shards: int) -> None:
        self._source = source
        self._shards = shards

    def of_account(
        self,
        projection: Projection[V],
        account_id: str,
        keys: Sequence[str],
        wanted: AtLeast = ANYTHING,
    ) -> Reading[V]:
        """Rows that live in the account's shard.

        Raises: Unavailable while the projection serves no generation; Invalid if `wanted` is of
        another shard.
        """
        need = need_of_account(projection.name, account_id, keys, wanted, self._shards)
        found = self._source.find(need)
        return Reading(_decoded(projection, found.parts[0]), standing_of(need, found))

    def merged(
        self, projection: Projection[V], keys: Sequence[str], wanted: AtLeast = ANYTHING
    ) -> Reading[V]:
        """Fan-in rows, the sub-rows of all shards in one.

        Raises: Unavailable while no generation is served; Invalid if `wanted` has a seq and no
        shard to which it belongs, or a shard that does not exist.
        """
        if wanted.seq if wanted.shard is None else wanted.shard >= self._shards:
            raise Invalid(
                f"min_version {wanted.seq} of shard {wanted.shard}: an answer across accounts "
                f"needs `shard:seq`, with a shard from 0 to {self._shards - 1}."
            )
        merge = projection.merge
        assert merge is not None, f"{projection.name} is keyed by account"
        place = wanted.shard or 0
        need = Need(projection.name, tuple(keys), None, wanted.seq, place, wanted.wait_seconds)
        found = self._source.find(need)
        some = [_decoded(projection, part) for part in found.parts]
        subrows = {key: [rows[key] for rows in some if key in rows] for key in keys}
        return Reading(
            rows={key: merge(rows) for key, rows in subrows.items() if rows},
            standing=standing_of(need, found),
        )

    def moment(self, projection: str, now_at: int) -> int:
        """The instant that answers are for: now, or the one that was looked back to."""
        return self._source.moment(projection, now_at)

    def keys(self, projection: Projection[Any]) -> set[str]:
        """Every key of the served generation that has a row in some shard."""
        return self._source.keys(projection.name)


class StoreSource:
    """Rows of a view store, one request after the other. Threads may share it."""

    def __init__(
        self,
        store: ViewStore,
        shards: int,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
        generation: str | None = None,
    ) -> None:
        """`generation` is the number or label of the one to read; None: the served one."""
        self._store = store
        self._shards = shards
        self._sleep = sleep
        self._chosen = generation
        self._finding = Finding(shards, monotonic=monotonic, generation=generation)

    def find(self, need: Need) -> Found:
        """What is needed. Raises: Unavailable, NotFound."""
        found: Found = self._drive(self._finding.search(need))
        return found

    def moment(self, projection: str, now_at: int) -> int:
        """Now, or the instant that was looked back to."""
        return now_at if self._chosen is None else _as_of(self._answering(projection), now_at)

    def keys(self, projection: str) -> set[str]:
        """Every key of the generation that answers."""
        generation = self._answering(projection)
        shards = range(self._shards)
        return {key for shard in shards for key in self._store.keys(generation, shard)}

    def _answering(self, projection: str) -> Generation:
        return self._finding.generation_of(self._store.registry(projection), projection)

    def _drive(self, steps: Any) -> Any:
        answer: Any = None
        while True:
            try:
                answer = self._done(steps.send(answer))
            except StopIteration as end:
                return end.value

    def _done(self, step: Step) -> Any:
        match step:
            case RegistryOf():
                return self._store.registry(step.projection)
            case RowsOf():
                return self._store.rows(step.generation, step.shard, step.keys), None
            case Pause():
                return self._sleep(step.poll_seconds)
            case Each():
                return [self._drive(search) for search in step.searches]


def store_reader(
    store: ViewStore,
    shards: int,
    *,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
    generation: str | None = None,
) -> Reader:
    """A reader of what a view store serves, or of the generation that is named."""
    source = StoreSource(store, shards, monotonic=monotonic, sleep=sleep, generation=generation)
    return Reader(source, shards)


def need_of_account(
    projection: str, account_id: str, keys: Sequence[str], wanted: AtLeast, shards: int
) -> Need:
    """What to look for in the account's shard. Raises: Invalid if `wanted` is of another."""
    shard = shard_of(account_id, shards)
    if wanted.shard not in (None, shard):
        raise Invalid(
            f"min_version of shard {wanted.shard}, but {account_id:.60} lives in shard "
            f"{shard}: give the token of a command of this account."
        )
    return Need(projection, tuple(keys), shard, wanted.seq, shard, wanted.wait_seconds)


def standing_of(need: Need, found: Found) -> Standing:
    """From when the answer to a need is."""
    parts, generation = found.parts, found.generation
    reached = parts[0 if need.shard is not None else need.seq_shard or 0].checkpoint.seq
    return Standing(
        as_of=_as_of(generation, max(rows.checkpoint.at for rows in parts)),
        version=sum(rows.checkpoint.seq for rows in parts),
        generation=generation.name,
        fresh=reached >= need.seq,
        behind=max(0, need.seq - reached),
    )


def the_row(reading: Reading[V], key: str, account_id: str) -> V:
    """The one row that was asked for. Raises: NotFound, with the next step."""
    row = reading.rows.get(key)
    if row is None:
        at = reading.standing
        late = f", {at.behind} events short of what was asked for" if at.behind else ""
        raise NotFound(
            f"account {account_id:.60}: unknown, or erased, as of version {at.version} of its "
            f"shard{late}. Check the id; one that was just opened may take a moment "
            "(min_version waits for it)."
        )
    return row


def _as_of(generation: Generation, at: int) -> int:
    """From when an answer is: one that was looked back to ends at its instant, not before."""
    return at if generation.as_of is None else generation.as_of


def _decoded(projection: Projection[V], found: Rows) -> dict[str, V]:
    rows = {key: value for key, value in found.rows.items() if value is not None}
    try:
        return {
            key: msgspec.json.decode(value, type=projection.row_type)
            for key, value in rows.items()
        }
    except msgspec.DecodeError as error:
        raise Unavailable(
            f"{projection.name}: a row that other code wrote cannot be read: {error}. "
            f"Run: airside replay {projection.name}"
        ) from error
