"""The reader: rows of the served generation, or a chosen one, with what they are worth.

Every query goes through it, so that every answer says from when it is, and every query can wait
for an event that the asker knows to have been stored (read your writes).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from projectors.generations import listed
from projectors.projection import Projection
from projectors.view_store import Checkpoint, Generation, Registry, Rows, ViewStore
from schemas.errors import Invalid, NotFound, Unavailable
from schemas.record import shard_of

V = TypeVar("V")

WAIT_SECONDS = 5.0  # how long a query waits for `min_version`, unless it says otherwise
WAIT_SECONDS_MAX = 60.0
POLL_SECONDS_MIN = 0.002
POLL_SECONDS_MAX = 0.1
SWITCHES_MAX = 5  # changes of the served generation in one read
SWITCH_SECONDS = (
    0.5  # how long a newly served generation is waited for to be as far as the last
)


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


class Reader:
    """Reads rows. Safe to share between threads if the store is.

    Its answers of a shard do not go back when another generation is served: right after the
    step that one may lack the last events for a moment, which is waited for.

    `generation` is the number or label of another one to read; None: the served one.
    """

    def __init__(
        self,
        store: ViewStore,
        shards: int,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
        generation: str | None = None,
    ) -> None:
        self._store = store
        self._chosen = generation
        self._shards = shards
        self._monotonic = monotonic
        self._sleep = sleep
        self._answered: dict[tuple[str, int], tuple[str, int]] = {}  # generation, seq

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
        shard = shard_of(account_id, self._shards)
        if wanted.shard not in (None, shard):
            raise Invalid(
                f"min_version of shard {wanted.shard}, but {account_id:.60} lives in shard "
                f"{shard}: give the token of a command of this account."
            )
        generation, found = self._read(projection, shard, keys, wanted)
        return Reading(
            rows=_decoded(projection, found),
            standing=Standing(
                as_of=_as_of(generation, found.checkpoint.at),
                version=found.checkpoint.seq,
                generation=generation.name,
                fresh=found.checkpoint.seq >= wanted.seq,
                behind=max(0, wanted.seq - found.checkpoint.seq),
            ),
        )

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
        generation, parts = self._read_all(projection, keys, wanted)
        some = [_decoded(projection, found) for found in parts]
        subrows = {key: [rows[key] for rows in some if key in rows] for key in keys}
        reached = parts[wanted.shard or 0].checkpoint.seq
        return Reading(
            rows={key: merge(rows) for key, rows in subrows.items() if rows},
            standing=Standing(
                as_of=_as_of(generation, max(found.checkpoint.at for found in parts)),
                version=sum(found.checkpoint.seq for found in parts),
                generation=generation.name,
                fresh=reached >= wanted.seq,
                behind=max(0, wanted.seq - reached),
            ),
        )

    def moment(self, projection: str, now_at: int) -> int:
        """The instant that answers are for: now, or the one that was looked back to."""
        return now_at if self._chosen is None else _as_of(self._served(projection), now_at)

    def keys(self, projection: Projection[Any]) -> set[str]:
        """Every key of the served generation that has a row in some shard."""
        generation = self._served(projection.name)
        shards = range(self._shards)
        return {key for shard in shards for key in self._store.keys(generation, shard)}

    def _read(
        self,
        projection: Projection[Any],
        shard: int,
        keys: Sequence[str],
        wanted: AtLeast,
        asked_at: float | None = None,
    ) -> tuple[Generation, Rows]:
        asked_at = self._monotonic() if asked_at is None else asked_at
        pause = POLL_SECONDS_MIN
        while True:
            generation, found = self._read_served(projection, shard, keys)
            seq, waited = found.checkpoint.seq, self._monotonic() - asked_at
            moves = generation.as_of is None
            left = max(
                wanted.wait_seconds - waited if seq < wanted.seq and moves else 0.0,
                SWITCH_SECONDS - waited if self._went_back(generation, shard, seq) else 0.0,
            )
            if left <= 0:
                self._remember(generation, shard, seq)
                return generation, found
            self._sleep(min(pause, left))
            pause = min(pause * 2, POLL_SECONDS_MAX)

    def _remember(self, generation: Generation, shard: int, seq: int) -> None:
        """The most that was answered from it: a slower thread may come with less."""
        name, answered = self._answered.get((generation.projection, shard), ("", 0))
        most = max(seq, answered) if name == generation.name else seq
        self._answered[generation.projection, shard] = generation.name, most

    def _went_back(self, generation: Generation, shard: int, seq: int) -> bool:
        """Whether this generation has less than another one that was answered from."""
        name, answered = self._answered.get((generation.projection, shard), ("", 0))
        return name != generation.name and seq < answered

    def _read_all(
        self, projection: Projection[Any], keys: Sequence[str], wanted: AtLeast
    ) -> tuple[Generation, list[Rows]]:
        asked_at = self._monotonic()  # all shards are waited for together
        for _ in range(SWITCHES_MAX):
            parts = [
                self._read(
                    projection,
                    shard,
                    keys,
                    wanted if shard == wanted.shard else ANYTHING,
                    asked_at,
                )
                for shard in range(self._shards)
            ]
            generation = parts[0][0]
            if all(one == generation for one, _ in parts):
                return generation, [found for _, found in parts]
        raise _restless(projection)

    def _read_served(
        self, projection: Projection[Any], shard: int, keys: Sequence[str]
    ) -> tuple[Generation, Rows]:
        for _ in range(SWITCHES_MAX):
            generation = self._served(projection.name)
            found = self._store.rows(generation, shard, keys)
            if found.checkpoint != Checkpoint() or generation == self._served(projection.name):
                return generation, found  # an empty shard may be one that was just dropped
        raise _restless(projection)

    def _served(self, projection: str) -> Generation:
        registry = self._store.registry(projection)
        if self._chosen is not None:
            return _chosen(registry, projection, self._chosen)
        generation = registry.generation(registry.serving)
        if generation is None:
            raise Unavailable(
                f"{projection} serves no generation yet. Start a projector: `airside up`, "
                "or `airside project`."
            )
        return generation


def the_row(reading: Reading[V], key: str, account_id: str) -> V:
    """The one row that was asked for. Raises: NotFound, with the next step."""
    row = reading.rows.get(key)
    if row is None:
        at = reading.standing
        late = f", {at.behind} events short of what was asked for" if at.behind else ""
        raise NotFound(
            f"account {account_id:.60}: unknown, or erased, as of version {at.version} of its "
            f"shard{late}. Check the id; if its first command was just sent, give min_version."
        )
    return row


def _chosen(registry: Registry, projection: str, name: str) -> Generation:
    found = registry.called(name)
    if found is None:
        raise NotFound(
            f"{projection} has no generation {name:.60}. There is: {listed(registry)}."
        )
    if found.label and found.followed_at is None:
        raise Unavailable(f"{found.name} is not whole yet. Run the same replay again.")
    return found


def _as_of(generation: Generation, at: int) -> int:
    """From when an answer is: one that was looked back to ends at its instant, not before."""
    return at if generation.as_of is None else generation.as_of


def _restless(projection: Projection[Any]) -> Unavailable:
    return Unavailable(f"{projection.name}: the served generation keeps changing. Ask again.")


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
