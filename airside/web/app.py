"""The application: a table of resources in, an ASGI application out."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from airside.web.handler import Edge, Handler, Observe, unobserved
from airside.web.problems import (
    INVALID,
    MEDIA_TYPE,
    NO_METHOD,
    NO_PATH,
    Kind,
    Problem,
)
from airside.web.rates import Rates
from airside.web.resource import Resource
from airside.web.settings import HttpSettings
from airside.web.tokens import Keys, Tokens

S = TypeVar("S")

STAFF_RATE = 10  # times a member's: one person of support looks at many accounts
PATH_CHARACTERS_SHOWN = 200
KINDS = {404: NO_PATH, 405: NO_METHOD}


class RawPath:
    """Routes by the path as it was sent, so that an id may have a slash in it (`%2F`)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on."""
        if scope["type"] == "http" and scope.get("raw_path"):
            scope["path"] = scope["raw_path"].decode("latin-1")
        await self._app(scope, receive, send)


def edge_of(settings: HttpSettings, observe: Observe = unobserved) -> Edge:
    """Who may ask and how often, as the settings say. Raises: Invalid for a bad key file."""
    if settings.keys is None:
        return Edge(observe=observe)
    tokens = Tokens(
        Keys(settings.keys, time.monotonic),
        audience=settings.audience,
        issuer=settings.issuer,
        clock=time.time,
    )
    rate = settings.rate_per_second
    return Edge(
        tokens=tokens,
        rates=Rates(rate, time.monotonic),
        staff_rates=Rates(rate * STAFF_RATE, time.monotonic),
        observe=observe,
    )


def make_app(
    resources: Sequence[Resource[S]],
    service: S,
    edge: Edge,
    *,
    more: Sequence[BaseRoute] = (),
) -> Starlette:
    """Every resource of the table, and `more` routes that are none (pages, files)."""
    routes: list[BaseRoute] = [
        Route(one.path, Handler(one, service, edge), methods=[one.method]) for one in resources
    ]
    app = Starlette(
        routes=[*routes, *more],
        middleware=[Middleware(RawPath)],
        exception_handlers={HTTPException: partial(_no_route, edge)},
    )
    app.router.redirect_slashes = False
    return app


async def _no_route(edge: Edge, request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = KINDS.get(error.status_code, INVALID)
    request_id = edge.request_id()
    headers = error.headers or {}
    problem = Problem(kind, _next_step(kind, request, headers), headers=headers)
    edge.observe("(no route)", error.status_code, 0.0)
    return Response(
        problem.body(request_id),
        status_code=error.status_code,
        media_type=MEDIA_TYPE,
        headers={**problem.headers, "X-Request-Id": request_id},
    )


def _next_step(kind: Kind, request: Request, headers: Mapping[str, str]) -> str:
    path = str(request.scope["path"])[:PATH_CHARACTERS_SHOWN]
    if kind is NO_METHOD:
        return (
            f"{path} takes {headers.get('Allow', 'other methods')}, not {request.method:.20}."
        )
    return f"{path} is nothing here. This service's resources are listed at /openapi.json."
