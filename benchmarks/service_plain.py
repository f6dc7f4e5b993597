"""The floor of the query service, on the same server and framework: what anybody would write.

`python -m benchmarks.service_plain VIEWS BODY_BYTES`: `/static` answers the same bytes every
time, `/get/{account}` what one awaited GET of redis.asyncio finds.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from airside.web.server import listening, run
from airside.web.settings import HttpSettings

JSON = "application/json"


def main(views: str, body_bytes: int) -> None:
    body = b"x" * body_bytes

    @asynccontextmanager
    async def opened(stopping: asyncio.Event) -> AsyncIterator[ASGIApp]:
        client = redis.asyncio.Redis.from_url(views)

        async def static(request: Request) -> Response:
            return Response(body, media_type=JSON)

        async def get(request: Request) -> Response:
            found = await client.get(f"plain:{request.path_params['account']}")
            return Response(found, media_type=JSON)

        yield Starlette(routes=[Route("/static", static), Route("/get/{account}", get)])
        await client.aclose()

    with listening(HttpSettings(port=0)) as bound:
        run(opened, bound, ready=lambda: print(bound.url, file=sys.stderr, flush=True))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
