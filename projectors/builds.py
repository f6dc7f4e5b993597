"""Builds: one builder at a time, who says that it is alive and how far it is.

    take_up       the build, ours from now on                   Moved where somebody is at it
    start_build   the same, at once
    beat          "alive, and so far"                           Moved where it was taken away
    release       let go of it; whoever comes next goes on
    follow        it is whole: workers keep it up to date
    note_verified what a comparison found

Nobody's clock is compared with another's: a builder is thought dead when its beats do not
change while somebody who wants to build waits. Who is thought dead wrongly does no harm: its
saves are conditional, and its next beat tells it.
"""

import logging
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from projectors.generations import (
    added,
    apply,
    building,
    followed,
    listed_as,
    next_number,
    replaced,
    role,
    update,
    without,
)
from projectors.view_store import Builder, Generation, Registry, Source, Verified, ViewStore
from schemas.errors import Contradiction, Moved

_log = logging.getLogger(__name__)

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
    if_missing: bool = False,
) -> Generation:
    """The build, taken up or begun; waits up to DEAD_SECONDS where its builder may be dead.

    Raises: Moved where that one is alive, or has just finished; what `start_build` raises.
    """
    before = building(store.registry(projection))
    if before is not None and before.builder is not None:
        _log.info(
            "%s is being built by %s: waiting up to %.0f s for a sign of life of it",
            before.name,
            before.builder.name,
            DEAD_SECONDS,
        )
    waited = 0.0
    while before is not None and before.builder is not None and waited < DEAD_SECONDS:
        sleep(LOOK_SECONDS)
        waited += LOOK_SECONDS
        now = building(store.registry(projection))
        if now is None:
            raise Moved(f"{before.name} was just finished by {before.builder.name}.")
        if now.builder is not None and now.builder != before.builder:
            raise Moved(
                f"{projection} is being rebuilt by {now.builder.name} already: "
                f"{now.builder.phase} {now.builder.done:,} of {now.builder.total:,}. Watch it: "
                "airside projections --watch"
            )
        before = now
    return start_build(
        store,
        projection,
        fingerprint=fingerprint,
        now_at=now_at,
        source=source,
        builder=builder,
        instead_of=None if before is None else before.builder,
        if_missing=if_missing,
    )


def start_build(
    store: ViewStore,
    projection: str,
    *,
    fingerprint: str,
    now_at: int,
    source: Source = "topic",
    builder: Builder | None = None,
    instead_of: Builder | None = None,
    if_missing: bool = False,
) -> Generation:
    """The generation to build: the one begun by the same code, else a new one in its place.

    It is `builder`'s from now on. Raises: Moved where another one than `instead_of`, who is
    thought dead, is at it, or `if_missing` where workers keep one of this code already;
    Contradiction where one is half built from the other source.
    """

    def change(registry: Registry) -> Registry | None:
        found = building(registry)
        if if_missing and any(g.fingerprint == fingerprint for g in followed(registry)):
            raise Moved(f"{projection}: a generation of this code is there already.")
        if found is not None and found.builder not in (None, instead_of, builder):
            raise Moved(f"{found.name} is being built by {found.builder.name} already.")
        if found is None or found.fingerprint != fingerprint:
            number = next_number(registry)
            fresh = Generation(
                projection, number, fingerprint, now_at, source=source, builder=builder
            )
            return added(without(registry, found), fresh)
        if found.source != source:
            raise Contradiction(
                f"{found.name} is half built from the {found.source}. Finish it: airside "
                f"replay {projection} --from {found.source}; or drop it: airside projections "
                f"retire {projection} {found.number}"
            )
        return None if found.builder == builder else replaced(registry, found, builder=builder)

    started = building(apply(store, projection, change))
    if started is None:
        raise Moved(f"{projection}: somebody else promoted or dropped the build. Begin again.")
    return started


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
    """It is whole: workers keep it up to date from now on, and it may be promoted.

    One that was ready before, of the same code, is dropped for it.
    """

    def change(registry: Registry) -> Registry:
        found = listed_as(registry, generation)
        for old in registry.generations:
            if role(registry, old) == "ready" and old.fingerprint == found.fingerprint:
                registry = without(registry, old)
        return replaced(registry, found, followed_at=now_at, builder=None)

    return listed_as(apply(store, generation.projection, change), generation)


def note_verified(store: ViewStore, generation: Generation, verified: Verified) -> Generation:
    """Keep what the last comparison of all its shards found."""
    return update(store, generation, partial(replace, verified=verified))


def _check(found: Generation, builder: Builder) -> None:
    if found.builder is None or found.builder.claim != builder.claim:
        other = "nobody" if found.builder is None else found.builder.name
        raise Moved(
            f"{found.name} is not ours to build any more, but {other}'s: we said nothing for "
            "too long. See: airside projections"
        )
