"""Is the process alive, and can it answer."""

import asyncio
from collections.abc import Awaitable, Callable

from airside.web.health import CHECK_SECONDS, REMEMBERED_SECONDS, Check, Health
from schemas.errors import NotFound, Unavailable
from tests.kit.in_loop import in_loop


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def failing(error: Exception) -> Check:
    async def check() -> None:
        raise error

    return check


async def good() -> None:
    return None


def health(clock: Callable[[], float] | None = None, **checks: Check) -> Health:
    return Health(checks, asyncio.Event(), clock or Clock())


@in_loop
async def test_it_is_ready_when_nothing_is_missing() -> None:
    found = await health(engine=good).readiness()

    assert (found.ready, found.missing) == (True, {})


@in_loop
async def test_what_is_missing_is_named_with_the_reason() -> None:
    away = failing(Unavailable("it is away"))
    nothing = failing(NotFound("nothing is there"))

    found = await health(engine=away, other=good, third=nothing).readiness()

    assert found.missing == {"engine": "it is away", "third": "nothing is there"}
    assert not found.ready


@in_loop
async def test_what_does_not_answer_is_missing() -> None:
    never: Callable[[], Awaitable[None]] = asyncio.Event().wait  # type: ignore[assignment]

    found = await health(engine=never).readiness()

    assert found.missing == {"engine": f"no answer within {CHECK_SECONDS:g} s."}


@in_loop
async def test_who_asks_often_costs_the_engines_nothing() -> None:
    looks: list[int] = []
    clock = Clock()

    async def check() -> None:
        looks.append(1)

    watched = health(clock, engine=check)
    await asyncio.gather(*(watched.readiness() for _ in range(50)))
    clock.now += REMEMBERED_SECONDS * 1.01
    await watched.readiness()

    assert len(looks) == 2


@in_loop
async def test_who_is_stopping_is_not_ready() -> None:
    stopping = asyncio.Event()
    watched = Health({"engine": good}, stopping, Clock())
    stopping.set()

    found = await watched.readiness()

    assert (found.ready, list(found.missing)) == (False, ["service"])
