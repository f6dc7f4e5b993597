"""Builds: one builder at a time, who says that it is alive and how far it is.

    take_up       the build, ours from now on                   Moved where somebody is at it
    beat          "alive, and so far"                           Moved where it was taken away
    release       let go of it; whoever comes next goes on
    follow        it is whole: workers keep it up to date
    note_verified what a comparison found

Nobody's clock is compared with another's: a builder is thought dead when its beats do not
change while somebody who wants to build waits. Who is thought dead wrongly does no harm: its
saves are conditional, and its next beat tells it.
"""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from projectors.generations import building, start_build, update
from projectors.view_store import Builder, Generation, Source, Verified, ViewStore
from schemas.errors import Moved

BEAT_MS = 1_000  # between two beats
DEAD_SECONDS = 10.0  # without one
LOOK_SECONDS = 0.25


def take_up(
    store: ViewStore,
    projection: str,
    *,
    fingerprint: str,
    now_at: int,
    builder: Builder,
    sleep: Callable[[float], None],
    source: Source = "topic",
) -> Generation:
    """The build, taken up or begun; waits up to DEAD_SECONDS where its builder may be dead.

    Raises: Moved where that one is alive.
    """
    before = _builder(store, projection)
    waited = 0.0
    while before is not None and waited < DEAD_SECONDS:
        sleep(LOOK_SECONDS)
        waited += LOOK_SECONDS
        now = _builder(store, projection)
        if now is not None and now != before:
            raise Moved(
                f"{projection} is being rebuilt by {now.name} already: {now.phase} "
                f"{now.done:,} of {now.total:,}. Watch it: airside projections --watch"
            )
        before = now
    return start_build(
        store,
        projection,
        fingerprint=fingerprint,
        now_at=now_at,
        source=source,
        builder=builder,
        instead_of=before,
    )


def beat(
    store: ViewStore,
    generation: Generation,
    builder: Builder,
    **progress: object,
) -> Builder:
    """Say that the builder is alive, and how far. Raises: Moved where it lost the build."""
    alive = replace(builder, beat=builder.beat + 1, **progress)

    def change(found: Generation) -> Generation:
        _check(found, builder)
        return replace(found, builder=alive)

    update(store, generation, change)
    return alive


def release(store: ViewStore, generation: Generation, builder: Builder) -> None:
    """Let go of the build, if it is ours still: whoever comes next need not wait."""

    def change(found: Generation) -> Generation:
        is_ours = found.builder is not None and found.builder.claim == builder.claim
        return replace(found, builder=None) if is_ours else found

    update(store, generation, change)


def follow(store: ViewStore, generation: Generation, *, now_at: int) -> Generation:
    """It is whole: workers keep it up to date from now on, and it may be promoted."""
    return update(store, generation, partial(replace, followed_at=now_at, builder=None))


def note_verified(store: ViewStore, generation: Generation, verified: Verified) -> Generation:
    """Keep what the last comparison of all its shards found."""
    return update(store, generation, partial(replace, verified=verified))


def _check(found: Generation, builder: Builder) -> None:
    if found.builder is None or found.builder.claim != builder.claim:
        other = "nobody" if found.builder is None else found.builder.name
        raise Moved(f"{found.name} is not ours to build any more, but {other}'s.")


def _builder(store: ViewStore, projection: str) -> Builder | None:
    found = building(store.registry(projection))
    return None if found is None else found.builder
