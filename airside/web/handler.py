"""One resource at work: who asks, how often, with what, in how much time; then the answer."""

import asyncio
import logging
import math
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from airside.web.hosts import elsewhere, is_here
from airside.web.negotiation import (
    COMPRESSED_FROM_BYTES,
    accepts,
    compressed,
    encoding,
    has_already,
)
from airside.web.parameters import Parameter, group_of, path_names, query_of, segment, taken
from airside.web.problems import (
    INTERNAL,
    MEDIA_TYPE,
    NOT_ACCEPTABLE,
    RETRY_SECONDS,
    TOO_MANY,
    UNAVAILABLE,
    Problem,
    problem_of,
    rejected,
)
from airside.web.rates import Rates
from airside.web.resource import Answer, Call, Resource
from airside.web.tokens import ANYBODY, Caller, Tokens, denied, forbidden
from schemas.errors import AirsideError

S = TypeVar("S")

IN_FLIGHT_MAX = 2_048  # requests under way; beyond them 503
SEND_SECONDS = 30.0  # that a client may take to read its answer

Observe = Callable[[str, int, float], None]
"""Told of every answer: the route's template, the status, and seconds."""

log = logging.getLogger("airside.web")


def unobserved(route: str, status: int, seconds: float) -> None:
    """For a service that nobody measures."""


@dataclass(slots=True)
class Edge:
    """What all resources of one process share."""

    tokens: Tokens | None = None  # None: everybody is an operator
    rates: Rates | None = None  # of members
    staff_rates: Rates | None = None  # of everybody else with a token
    observe: Observe = unobserved
    in_flight_max: int = IN_FLIGHT_MAX
    in_flight: int = 0
    numbers: "count[int]" = field(default_factory=count)
    process: str = field(default_factory=lambda: f"{time.time_ns():x}")

    def request_id(self) -> str:
        """An id of its own for every request; what the client sends is not taken over."""
        return f"{self.process}-{next(self.numbers):x}"


class Handler(Generic[S]):
    """The ASGI application of one resource."""

    def __init__(self, resource: Resource[S], service: S, edge: Edge) -> None:
        self._resource, self._service, self._edge = resource, service, edge
        self._groups = tuple(group_of(cls, resource.path) for cls in resource.parameters)
        every = [one for group in self._groups for one in group.parameters]
        self._query_names = {one.name for one in every if one.place == "query"}
        self._path_names = path_names(resource.path)
        self._owner: Parameter | None = next(
            (one for one in every if one.field == resource.owner), None
        )
        assert (self._owner is None) == (resource.owner is None), resource.path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever comes."""
        started = time.monotonic()
        request = Request(scope, receive)
        request_id = self._edge.request_id()
        found = await self._found(request, request_id)
        status = found.status_code if isinstance(found, Response) else found.status
        try:
            if isinstance(found, Response):
                found.headers["X-Request-Id"] = request_id
                await found(scope, receive, send)
            else:
                async with asyncio.timeout(SEND_SECONDS):
                    status = await _send(found, request, request_id, send)
        except TimeoutError:  # the server closes a connection whose answer is not whole
            log.info("a client did not read its answer id=%s", request_id)
        finally:
            seconds = time.monotonic() - started
            self._edge.observe(self._resource.path, status, seconds)
            log.debug(
                "answered id=%s route=%s status=%d ms=%.1f",
                request_id,
                self._resource.path,
                status,
                seconds * 1_000,
            )

    async def _found(self, request: Request, request_id: str) -> Answer | Response:
        edge, path = self._edge, request.path_params
        if edge.in_flight >= edge.in_flight_max:
            return _problem(_busy(edge.in_flight), request_id)
        edge.in_flight += 1
        try:
            return await self._answer(request)
        except AirsideError as error:
            problem = problem_of(error)
            if problem.kind.status >= INTERNAL.status:
                self._tell(request_id, type(error), _redacted(str(error), path))
            return _problem(problem, request_id)
        except Exception as error:  # noqa: BLE001 the top of a worker; its text may be personal
            where = "".join(traceback.format_tb(error.__traceback__))
            self._tell(request_id, type(error), f"a mistake in:\n{where}")
            detail = "This is a mistake of the service; the instance is in its log."
            return _problem(Problem(INTERNAL, detail), request_id)
        finally:
            edge.in_flight -= 1

    def _tell(self, request_id: str, kind: type[Exception], why: str) -> None:
        log.warning(
            "failed id=%s route=%s error=%s because %s",
            request_id,
            self._resource.path,
            kind.__name__,
            why,
        )

    async def _answer(self, request: Request) -> Answer | Response:
        resource = self._resource
        path = {name: segment(request.path_params[name]) for name in self._path_names}
        caller = self._caller(request)
        query = query_of(request.scope["query_string"], self._query_names)
        self._permit(caller, path, query)
        if not accepts(request.headers.get("accept", ""), resource.media_type):
            raise rejected(NOT_ACCEPTABLE, f"there is {resource.media_type} here: accept that.")
        groups: dict[type[Struct], Struct] = {
            group.type: taken(group, path, query, request.headers) for group in self._groups
        }
        call = Call(request, caller, groups)
        seconds = resource.seconds(call)
        try:
            async with asyncio.timeout(seconds):
                return await resource.endpoint(self._service, call)
        except TimeoutError:
            detail = f"no answer within {seconds:g} s. Ask again."
            raise rejected(UNAVAILABLE, detail, Retry_After=str(RETRY_SECONDS)) from None

    def _caller(self, request: Request) -> Caller:
        tokens = self._edge.tokens
        if self._resource.scope is None:
            return ANYBODY
        if tokens is None:
            if not is_here(v for name, v in request.scope["headers"] if name == b"host"):
                raise elsewhere()
            return ANYBODY
        sent = [value for name, value in request.scope["headers"] if name == b"authorization"]
        if len(sent) > 1:
            raise denied("there are several: send one.", error="invalid_request")
        return tokens.caller(sent[0] if sent else None)

    def _permit(self, caller: Caller, path: dict[str, str], query: dict[str, str]) -> None:
        resource, edge = self._resource, self._edge
        if caller.is_local or resource.scope is None:
            return
        rates = edge.rates if caller.scope == "member" else edge.staff_rates
        wait = rates.wait_seconds(caller.subject) if rates is not None else 0.0
        if wait > 0:
            later = str(math.ceil(wait))
            raise rejected(
                TOO_MANY, f"ask again in {later} s, and less often.", Retry_After=later
            )
        if not caller.may(resource.scope):
            raise forbidden(
                f"This needs the scope {resource.scope}; the token has {caller.scope}.",
                needed=resource.scope,
            )
        if self._owner is None or caller.scope != "member":
            return
        name, place = self._owner.name, path if self._owner.place == "path" else query
        if place.get(name) != caller.subject:
            raise forbidden(
                f"A member asks for its own account: {name} must be the token's `sub`.",
                needed="support",
            )


def _redacted(text: str, path: dict[str, Any]) -> str:
    """Without what the path named: ids are for whoever asked, not for the log."""
    for name, raw in path.items():
        text = text.replace(unquote(str(raw), errors="replace"), f"{{{name}}}")
    return text


def _busy(count_now: int) -> Problem:
    detail = f"{count_now} requests are under way already. Ask again."
    return Problem(UNAVAILABLE, detail, headers={"Retry-After": str(RETRY_SECONDS)})


def _problem(problem: Problem, request_id: str) -> Answer:
    return Answer(
        problem.body(request_id),
        status=int(problem.kind.status),
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


async def _send(answer: Answer, request: Request, request_id: str, send: Send) -> int:
    status, body = answer.status, answer.body
    headers = [
        (b"x-request-id", request_id.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"private, no-cache" if answer.etag else b"no-store"),
        (b"vary", b"accept-encoding, authorization"),
    ]
    headers += [(n.lower().encode(), v.encode("latin-1")) for n, v in answer.headers.items()]
    if answer.etag:
        headers.append((b"etag", answer.etag.encode("ascii")))
        known = request.headers.get("if-none-match")
        if status == 200 and known is not None and has_already(known, answer.etag):
            status, body = 304, b""
    if status != 304:
        headers.append((b"content-type", answer.media_type.encode()))
        if len(body) >= COMPRESSED_FROM_BYTES:
            name = encoding(request.headers.get("accept-encoding", ""))
            if name:
                body = compressed(body, name)
                headers.append((b"content-encoding", name.encode()))
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    return status
