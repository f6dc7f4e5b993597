"""Is the process alive, and can it answer: `/livez` and `/readyz`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec
from msgspec import Struct

from airside.web.resource import Answer, Call, Resource
from schemas.errors import AirsideError

CHECK_SECONDS = 2.0  # that one check may take
REMEMBERED_SECONDS = 0.5  # so that asking often costs the engines nothing

Check = Callable[[], Awaitable[None]]
"""Raises an AirsideError that says what is missing."""


class Alive(Struct, frozen=True):
    """The process runs its event loop."""

    alive: bool = True


class Readiness(Struct, frozen=True):
    """Whether requests can be answered, and what is missing by what was looked at."""

    ready: bool
    missing: dict[str, str]


class Health:
    """Looks at everything that an answer needs."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        stopping: asyncio.Event,
        monotonic: Callable[[], float],
    ) -> None:
        self._checks, self._stopping, self._monotonic = checks, stopping, monotonic
        self._last: tuple[float, Readiness] | None = None
        self._looking = asyncio.Lock()

    async def readiness(self) -> Readiness:
        """What is missing now; all checks at once, each within CHECK_SECONDS."""
        if self._stopping.is_set():
            return Readiness(ready=False, missing={"service": "it is stopping."})
        async with self._looking:
            now = self._monotonic()
            if self._last is None or now - self._last[0] > REMEMBERED_SECONDS:
                self._last = self._monotonic(), await self._look()
            return self._last[1]

    async def _look(self) -> Readiness:
        reasons = await asyncio.gather(*map(_reason, self._checks.values()))
        missing = {
            name: why
            for name, why in zip(self._checks, reasons, strict=True)
            if why is not None
        }
        return Readiness(ready=not missing, missing=missing)


class Watched(Protocol):
    """What a service has for these two resources."""

    @property
    def health(self) -> Health:
        """Its checks."""


async def livez(_service: object, _call: Call) -> Answer:
    """The process answers: nothing else is asked."""
    return Answer(msgspec.json.encode(Alive()))


async def readyz(service: Watched, _call: Call) -> Answer:
    """200, or 503 and what is missing."""
    found = await service.health.readiness()
    return Answer(msgspec.json.encode(found), status=200 if found.ready else 503)


HEALTH: tuple[Resource[Watched], ...] = (
    Resource(
        "/livez",
        livez,
        summary="Whether the process is alive.",
        scope=None,
        answer=Alive,
        tag="health",
    ),
    Resource(
        "/readyz",
        readyz,
        summary="Whether it can answer, and what is missing.",
        scope=None,
        answer=Readiness,
        statuses={200: "Ready.", 503: "Not ready: see `missing`."},
        tag="health",
    ),
)


async def _reason(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except AirsideError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s."
    return None
