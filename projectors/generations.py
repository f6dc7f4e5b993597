"""Generations of a projection: one is served, one before it stands by, one may be building.

    ensure_serving     the first generation, served from its first event on
    update             note something about one; for builds see projectors/builds.py
    promote            serve it, in one atomic step; what was served stands by. The way back
                       is the same step with the standby
    retire             drop one that is not served, with all its rows
    abandon            drop the building one
    followed           the generations that workers keep up to date

    building ──is whole──▶ ready ──promote──▶ serving ◀──promote── standby
        └───────────────promote─────────────────┘ └────promote another──▶┘

Every change is a compare-and-set of the whole registry, which also counts the generations: no
number comes twice, so a forgotten builder of an abandoned generation can never write into its
successor.
"""

from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from projectors.view_store import Generation, Registry, ViewStore
from schemas.errors import Contradiction, Moved, NotFound

CHANGE_ATTEMPTS_MAX = 10
SERVED_KEPT = 100  # fingerprints
KEPT = ("serving", "standby", "ready")  # up to date, by the workers

Change = Callable[[Registry], Registry | None]
"""What the registry becomes; None if it is right as it is."""

Role = Literal["serving", "standby", "ready", "building", "scratch"]


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
        check_history(registry, projection, history=history, shards=shards)
        known = replace(
            registry, history=registry.history or history, shards=registry.shards or shards
        )
        if registry.serving is not None:
            return None if known == registry else known
        first = Generation(projection, next_number(known), fingerprint, now_at, now_at)
        return replace(added(known, first), serving=first.number, served=(fingerprint,))

    return apply(store, projection, change)


def check_history(
    registry: Registry, projection: str, *, history: str = "", shards: int = 0
) -> None:
    """They are rows of that history; what is not said does not count. Raises: Contradiction."""
    mine, theirs = (history, shards), (registry.history, registry.shards)
    if any(a and b and a != b for a, b in zip(mine, theirs, strict=True)):
        raise Contradiction(
            f"{projection}: the read models are of history {registry.history}, the events "
            f"of history {history} ({registry.shards} and {shards} shards). Name another "
            "database in AIRSIDE_VIEWS, or the event store that these rows belong to."
        )


def update(
    store: ViewStore, generation: Generation, change: Callable[[Generation], Generation]
) -> Generation:
    """What one generation is after `change`, in one step. Raises: Moved where it is dropped."""

    def of_registry(registry: Registry) -> Registry | None:
        return replaced(registry, change(listed_as(registry, generation)))

    return listed_as(apply(store, generation.projection, of_registry), generation)


def promote(
    store: ViewStore, generation: Generation, *, serving: int | None, now_at: int
) -> Registry:
    """Serve a generation if `serving`, which it was compared with, is still served.

    What was served stands by; older ones are dropped. Again, it changes nothing.
    Raises: Moved, NotFound; Contradiction if it has a label.
    """

    def change(registry: Registry) -> Registry | None:
        if generation.label:
            raise Contradiction(f"{generation.name} was built to look back: it is not served.")
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

    return apply(store, generation.projection, change)


def retire(store: ViewStore, projection: str, number: int) -> Registry:
    """Drop a generation and all its rows. Raises: NotFound; Contradiction if it is served."""

    def change(registry: Registry) -> Registry | None:
        found = registry.generation(number)
        if found is None:
            raise NotFound(
                f"{projection} has no generation {number}. There is: {listed(registry)}."
            )
        if number == registry.serving:
            raise Contradiction(f"{found.name} is served. Promote another one first.")
        return without(registry, found)

    return apply(store, projection, change)


def abandon(store: ViewStore, projection: str) -> Registry:
    """Drop the building generation, if there is one."""

    def change(registry: Registry) -> Registry | None:
        found = building(registry)
        return None if found is None else without(registry, found)

    return apply(store, projection, change)


def listed(registry: Registry) -> str:
    """`1 (standby), 3 (serving)`, for messages."""
    all_of_them = (f"{g.label or g.number} ({role(registry, g)})" for g in registry.generations)
    return ", ".join(all_of_them) or "none"


def role(registry: Registry, generation: Generation) -> Role:
    """What a generation is to its projection."""
    if generation.number == registry.serving:
        return "serving"
    if generation.promoted_at is not None:
        return "standby"
    if generation.label:
        return "scratch"
    return "building" if generation.followed_at is None else "ready"


def serving(registry: Registry) -> Generation:
    """The served generation. Raises: NotFound."""
    found = registry.generation(registry.serving)
    if found is None:
        raise NotFound("no generation is served yet. Start the projectors: airside up")
    return found


def standby(registry: Registry) -> Generation | None:
    """The one that was served last before the one that is."""
    served = [g for g in registry.generations if role(registry, g) == "standby"]
    return max(served, key=lambda g: (g.promoted_at or 0, g.number), default=None)


def building(registry: Registry) -> Generation | None:
    """The one that its builder moves alone."""
    return next((g for g in registry.generations if role(registry, g) == "building"), None)


def followed(registry: Registry) -> tuple[Generation, ...]:
    """What workers keep up to date: all but the building one, which its builder moves alone,
    and those that were built to look back with.

    A worker whose code differs from a generation's refuses it by itself.
    """
    return tuple(g for g in registry.generations if role(registry, g) in KEPT)


def _serve(registry: Registry, number: int, now_at: int) -> Registry:
    """`number` is served, the one served until now stands by, older ones are gone."""
    before = registry.serving
    kept = [
        replace(g, promoted_at=now_at, builder=None) if g.number == number else g
        for g in registry.generations
        if g.number in (number, before) or g.promoted_at is None
    ]
    now = (g.fingerprint for g in kept if g.number in (before, number))
    served = tuple(dict.fromkeys((*registry.served, *now)))[-SERVED_KEPT:]
    return replace(registry, serving=number, generations=tuple(kept), served=served)


def next_number(registry: Registry) -> int:
    """One that no generation ever had; registries of before counted by their revision."""
    return (registry.last_number or registry.revision) + 1


def added(registry: Registry, fresh: Generation) -> Registry:
    """With one more generation."""
    kept = (*registry.generations, fresh)
    return replace(registry, generations=kept, last_number=fresh.number)


def without(registry: Registry, gone: Generation | None) -> Registry:
    """Without a generation, if it is one."""
    kept = tuple(g for g in registry.generations if g != gone)
    return replace(registry, generations=kept)


def replaced(registry: Registry, generation: Generation, **changes: object) -> Registry:
    """With these changes to one generation."""
    changed = replace(generation, **changes)
    kept = (changed if g.number == changed.number else g for g in registry.generations)
    return replace(registry, generations=tuple(kept))


def listed_as(registry: Registry, generation: Generation) -> Generation:
    """The generation as it is listed now. Raises: Moved where it was dropped."""
    found = registry.generation(generation.number)
    if found is None or found.created_at != generation.created_at:
        raise Moved(f"{generation.name} was dropped meanwhile. Replay again.")
    return found


def apply(store: ViewStore, projection: str, change: Change) -> Registry:
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
