"""Generations of a projection: one is served, one before it stands by, one may be building.

    ensure_serving     the first generation, served from its first event on
    start_build        the building one: continued if the same code began it
    promote            serve it, in one atomic step; what was served stands by
    roll_back          serve the standby again, in one atomic step
    abandon            drop the building one
    followed           the generations that workers keep up to date

Every change is a compare-and-set of the whole registry. A generation takes its number from the
revision that creates it, so no number comes twice: a forgotten builder of an abandoned
generation can never write into its successor. Numbers have holes, therefore.
"""

from collections.abc import Callable

from msgspec.structs import replace

from projectors.view_store import Generation, Registry, ViewStore
from schemas.errors import Contradiction, Moved, NotFound

CHANGE_ATTEMPTS_MAX = 10

Change = Callable[[Registry], Registry | None]
"""What the registry becomes; None if it is right as it is."""


def ensure_serving(
    store: ViewStore,
    projection: str,
    *,
    fingerprint: str,
    now_at: int,
    history: str = "",
    shards: int = 0,
) -> Registry:
    """The registry with a served generation in it: a first one where none was ever built.

    `history` is the id of the event store, `shards` its number of shards; where either is not
    said, it is not compared. Raises: Contradiction if these are the rows of another history.
    """

    def change(registry: Registry) -> Registry | None:
        mine, theirs = (history, shards), (registry.history, registry.shards)
        if any(a and b and a != b for a, b in zip(mine, theirs, strict=True)):
            raise Contradiction(
                f"{projection}: the read models are of history {registry.history}, the events "
                f"of history {history} ({registry.shards} and {shards} shards). Name another "
                "database in AIRSIDE_VIEWS, or the event store that these rows belong to."
            )
        known = replace(
            registry, history=registry.history or history, shards=registry.shards or shards
        )
        if registry.serving is not None:
            return None if known == registry else known
        first = Generation(projection, registry.revision + 1, fingerprint, now_at, now_at)
        return replace(known, serving=first.number, generations=(*registry.generations, first))

    return _changed(store, projection, change)


def start_build(
    store: ViewStore, projection: str, *, fingerprint: str, now_at: int
) -> Generation:
    """The generation to build: the one begun by the same code, else a new one in its place."""

    def change(registry: Registry) -> Registry | None:
        found = building(registry)
        if found is not None and found.fingerprint == fingerprint:
            return None
        fresh = Generation(projection, registry.revision + 1, fingerprint, now_at)
        kept = (g for g in registry.generations if g != found)
        return replace(registry, generations=(*kept, fresh))

    started = building(_changed(store, projection, change))
    if started is None:
        raise Moved(f"{projection}: somebody else promoted or dropped the build. Begin again.")
    return started


def promote(
    store: ViewStore, generation: Generation, *, serving: int | None, now_at: int
) -> Registry:
    """Serve a generation if `serving`, which it was compared with, is still served.

    What was served stands by; older ones are dropped. Again, it changes nothing.
    Raises: Moved, NotFound.
    """

    def change(registry: Registry) -> Registry | None:
        if registry.serving == generation.number:
            return None
        if registry.serving != serving:
            raise Moved(
                f"{generation.name} was compared with number {serving}, but "
                f"{registry.serving} is served now. Replay again."
            )
        if registry.generation(generation.number) is None:
            raise NotFound(f"{generation.name} was dropped meanwhile. Replay again.")
        return _serve(registry, generation.number, now_at)

    return _changed(store, generation.projection, change)


def roll_back(store: ViewStore, projection: str, *, now_at: int) -> Registry:
    """Serve the standby again; what was served stands by now. Raises: NotFound."""

    def change(registry: Registry) -> Registry | None:
        found = standby(registry)
        if found is None:
            raise NotFound(f"{projection}: no generation stands by to roll back to.")
        return _serve(registry, found.number, now_at)

    return _changed(store, projection, change)


def abandon(store: ViewStore, projection: str) -> Registry:
    """Drop the building generation, if there is one."""

    def change(registry: Registry) -> Registry | None:
        found = building(registry)
        if found is None:
            return None
        return replace(registry, generations=tuple(_without(registry, found)))

    return _changed(store, projection, change)


def serving(registry: Registry) -> Generation:
    """The served generation. Raises: NotFound."""
    found = registry.generation(registry.serving)
    if found is None:
        raise NotFound("no generation is served yet. Start the projectors: airside up")
    return found


def standby(registry: Registry) -> Generation | None:
    """The one that was served last before the one that is."""
    others = [g for g in followed(registry) if g.number != registry.serving]
    return max(others, key=lambda g: (g.promoted_at or 0, g.number), default=None)


def building(registry: Registry) -> Generation | None:
    """The one that was never served."""
    return next((g for g in registry.generations if g.promoted_at is None), None)


def followed(registry: Registry) -> tuple[Generation, ...]:
    """What workers keep up to date: all but the building one, which its builder moves alone.

    A worker whose code differs from a generation's refuses it by itself.
    """
    return tuple(g for g in registry.generations if g.promoted_at is not None)


def _serve(registry: Registry, number: int, now_at: int) -> Registry:
    """`number` is served, the one served until now stands by, older ones are gone."""
    before = registry.serving
    kept = []
    for generation in registry.generations:
        if generation.number == number:
            kept.append(replace(generation, promoted_at=now_at))
        elif generation.number == before or generation.promoted_at is None:
            kept.append(generation)
    return replace(registry, serving=number, generations=tuple(kept))


def _without(registry: Registry, gone: Generation) -> list[Generation]:
    return [g for g in registry.generations if g != gone]


def _changed(store: ViewStore, projection: str, change: Change) -> Registry:
    """Apply a change, anew where somebody else was faster, and drop what is no longer listed.

    First the registry, then the rows: whoever still folds into a dropped generation is fenced,
    looks it up and does not find it. A crash between the two leaves rows, so what was dropped
    last is dropped again before the next change.
    """
    for _ in range(CHANGE_ATTEMPTS_MAX):
        before = store.registry(projection)
        after = change(before)
        if after is None:
            return before
        for generation in before.dropped:
            store.drop(generation)
        kept = {generation.number for generation in after.generations}
        dropped = tuple(g for g in before.generations if g.number not in kept)
        try:
            store.change_registry(projection, before.revision, replace(after, dropped=dropped))
        except Moved:
            continue
        for generation in dropped:
            store.drop(generation)
        return store.registry(projection)
    raise Moved(
        f"{projection}: its registry changed {CHANGE_ATTEMPTS_MAX} times in a row while it was "
        "read. Stop the other builders."
    )
