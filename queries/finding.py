"""How rows are found: which generation answers, and what is waited for. Rules, without I/O.

A search is a generator: it yields what it has to know, and is sent the answer. Who drives it
does the I/O in its own way: the command line step by step, a service for all askers at once.

    RegistryOf   which generations there are          -> Registry
    RowsOf       rows of a shard of a generation      -> Rows, and what the registry says now
    Pause        until the shard has an event, or so long   -> None
    Each         several searches, at once or in any order  -> what each found
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from projectors.generations import listed
from projectors.view_store import Checkpoint, Generation, Registry, Rows
from schemas.errors import NotFound, Unavailable

POLL_SECONDS_MIN = 0.002
POLL_SECONDS_MAX = 0.1
SWITCHES_MAX = 5  # changes of the served generation in one search
SWITCH_SECONDS = 2.0  # that a newly served one is waited for to be as far as the last


class Need(Struct, frozen=True):
    """Rows that a question is about."""

    projection: str
    keys: tuple[str, ...]
    shard: int | None  # None: of every shard, all of one generation
    seq: int = 0  # the event that they should hold
    seq_shard: int | None = None  # whose event that is
    wait_seconds: float = 0.0  # how long to wait for it


class Found(Struct, frozen=True):
    """Rows of one shard, or of each, and whose they are."""

    generation: Generation
    parts: tuple[Rows, ...]


class RegistryOf(Struct, frozen=True, gc=False):
    """Which generations of a projection there are."""

    projection: str
    is_fresh: bool = (
        False  # as of now; else as it was seen at any time, which is looked at again
    )


class RowsOf(Struct, frozen=True, gc=False):
    """Rows of one shard.

    The answer is the rows, and the registry as it was seen since the question was asked; None
    where nobody looked, or where the shard is empty and it may have been seen before that.
    """

    generation: Generation
    shard: int
    keys: tuple[str, ...]


class Pause(Struct, frozen=True, gc=False):
    """Until the shard holds `seq`, until another generation is served, or for so long."""

    generation: Generation
    shard: int
    seq: int
    seconds: float
    poll_seconds: float  # after which to look again, where one has to look


class Each(Struct, frozen=True):
    """Several searches."""

    searches: Sequence["OneShard"]


Step = RegistryOf | RowsOf | Pause | Each
OneShard = Generator[Step, Any, tuple[Generation, Rows]]
Search = Generator[Step, Any, Found]


@dataclass(frozen=True, slots=True)
class _Mark:
    """The most that was answered from a shard, and from which generation."""

    generation: str = ""
    seq: int = 0


class Finding:
    """The rules for one asker after another; they remember what was answered.

    Answers of a shard do not go back when another generation is served: right after that step
    it may lack the last events for a moment, which is waited for.

    `generation` is the number or label of another one to read; None: the served one.
    """

    def __init__(
        self, shards: int, *, monotonic: Callable[[], float], generation: str | None = None
    ) -> None:
        self._shards = shards
        self._monotonic = monotonic
        self._chosen = generation
        self._answered: dict[tuple[str, int], _Mark] = {}
        self._looked_at: dict[str, tuple[Registry, Generation | None]] = {}  # the last

    def search(self, need: Need) -> Search:
        """What is needed. Raises: Unavailable, NotFound."""
        asked_at = self._monotonic()  # all shards are waited for together
        if need.shard is not None:
            generation, rows = yield from self._of_shard(need, need.shard, asked_at)
            return Found(generation, (rows,))
        for _ in range(SWITCHES_MAX):
            parts: list[tuple[Generation, Rows]] = yield Each(
                [self._of_shard(need, shard, asked_at) for shard in range(self._shards)]
            )
            generation = parts[0][0]
            if all(one == generation for one, _ in parts):
                return Found(generation, tuple(rows for _, rows in parts))
        raise _restless(need.projection)

    def generation_of(self, registry: Registry, projection: str) -> Generation:
        """The one that answers. Raises: Unavailable, NotFound."""
        if self._chosen is not None:
            return _chosen(registry, projection, self._chosen)
        before, generation = self._looked_at.get(projection, (None, None))
        if before is not registry:
            generation = registry.generation(registry.serving)
            self._looked_at[projection] = registry, generation
        if generation is None:
            raise Unavailable(
                f"{projection} serves no generation yet. Start a projector: `airside up`, "
                "or `airside project`."
            )
        return generation

    def settled(
        self, generation: Generation, shard: int, rows: Rows, seen: Registry | None
    ) -> bool:
        """Whether one look at rows, for who waits for no event, is all that it takes.

        That is what `search` comes to, said without a generator. What is settled is answered.
        """
        projection = generation.projection
        if seen is None or self.generation_of(seen, projection) != generation:
            return False
        if rows.checkpoint.seq < self._answered_before(generation, shard):
            return False
        self._remember(generation, shard, rows.checkpoint.seq)
        return True

    def _of_shard(self, need: Need, shard: int, asked_at: float) -> OneShard:
        wanted = need.seq if shard == need.seq_shard else 0
        pause = POLL_SECONDS_MIN
        while True:
            generation, rows = yield from self._looked_up(need, shard)
            seq = rows.checkpoint.seq
            awaited = self._answered_before(generation, shard)
            if seq >= awaited and (seq >= wanted or generation.as_of is not None):
                break
            waited = self._monotonic() - asked_at
            moves = generation.as_of is None
            left = max(
                need.wait_seconds - waited if seq < wanted and moves else 0.0,
                SWITCH_SECONDS - waited if seq < awaited else 0.0,
            )
            if left <= 0:
                break
            until = wanted if moves and seq < wanted else awaited
            yield Pause(generation, shard, until, left, min(pause, left))
            pause = min(pause * 2, POLL_SECONDS_MAX)
        self._remember(generation, shard, seq)
        return generation, rows

    def _looked_up(self, need: Need, shard: int) -> OneShard:
        """Rows of the generation that answers. One that is empty may have just been dropped."""
        registry: Registry = yield RegistryOf(need.projection)
        for _ in range(SWITCHES_MAX):
            generation = self.generation_of(registry, need.projection)
            answer: tuple[Rows, Registry | None] = yield RowsOf(generation, shard, need.keys)
            rows, seen = answer
            if seen is None and rows.checkpoint == Checkpoint():
                seen = yield RegistryOf(need.projection, is_fresh=True)
            if seen is None or seen is registry:
                return generation, rows
            registry = seen
            if self.generation_of(registry, need.projection) == generation:
                return generation, rows
        raise _restless(need.projection)

    def _remember(self, generation: Generation, shard: int, seq: int) -> None:
        """The most that was answered from it: a slower asker may come with less."""
        place = generation.projection, shard
        mark = self._answered.get(place, _NOTHING)
        if mark.generation != generation.name or seq > mark.seq:
            self._answered[place] = _Mark(generation.name, seq)

    def _answered_before(self, generation: Generation, shard: int) -> int:
        """How far another generation was that was answered from; 0: it was this one."""
        mark = self._answered.get((generation.projection, shard), _NOTHING)
        return 0 if mark.generation == generation.name else mark.seq


_NOTHING = _Mark()


def _chosen(registry: Registry, projection: str, name: str) -> Generation:
    found = registry.called(name)
    if found is None:
        raise NotFound(
            f"{projection} has no generation {name:.60}. There is: {listed(registry)}."
        )
    if found.label and found.followed_at is None:
        raise Unavailable(f"{found.name} is not whole yet. Run the same replay again.")
    return found


def _restless(projection: str) -> Unavailable:
    return Unavailable(f"{projection}: the served generation keeps changing. Ask again.")
