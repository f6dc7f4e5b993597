"""A resource: one row of the table that both the routes and the OpenAPI document are made of.

    Resource(
        "/v1/accounts/{account_id}/devices",
        devices,                              # async def devices(service, call) -> Answer
        summary="The account's devices, and which slot is free.",
        scope="member",
        owner="account_id",                   # a member asks only where this is its subject
        parameters=(OfAccount, Freshness),    # structs: see parameters.py
        answer=DevicesAnswer,
        example={"account_id": "a1"},
    )

An endpoint raises an `AirsideError` for everything that is no answer; problems.py turns it into
the document that the client gets.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from airside.web.problems import TOO_LARGE, Kind, rejected
from airside.web.tokens import Caller, Scope

S_contra = TypeVar("S_contra", contravariant=True)
P = TypeVar("P", bound=Struct)

JSON = "application/json"
SECONDS = 10.0  # that a request may take, unless its resource says otherwise
Method = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked for, encoded. With an `etag` a client need not be sent it twice."""

    body: bytes
    etag: str = ""  # quoted, as in `W/"7"`
    status: int = 200
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Call:
    """One request, checked: who asks, and its parameters by their group."""

    __slots__ = ("_groups", "caller", "request")

    def __init__(
        self, request: Request, caller: Caller, groups: Mapping[type[Struct], Struct]
    ) -> None:
        self.request = request
        self.caller = caller
        self._groups = groups

    def of(self, kind: type[P]) -> P:
        """One group of parameters: `call.of(Page).limit`."""
        found = self._groups[kind]
        assert isinstance(found, kind)
        return found

    async def body(self, bytes_max: int) -> bytes:
        """The request's body. Raises: Rejected above so many bytes, once that is known."""
        too_large = rejected(
            TOO_LARGE, f"the body is over {bytes_max} bytes: send less at once."
        )
        declared = self.request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > bytes_max:
            raise too_large
        read = bytearray()
        async for some in self.request.stream():
            read += some
            if len(read) > bytes_max:
                raise too_large
        return bytes(read)


Endpoint = Callable[[S_contra, Call], Awaitable[Answer | Response]]


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries, for the OpenAPI document: the endpoint itself checks it."""

    schema: Mapping[str, Any]  # JSON schema; may refer to #/components/schemas/…
    examples: Mapping[str, Any]  # by name
    components: Mapping[str, Any] = field(default_factory=dict)
    media_type: str = JSON


@dataclass(frozen=True, slots=True)
class Resource(Generic[S_contra]):
    """One method of one path."""

    path: str
    endpoint: Endpoint[S_contra]
    summary: str
    scope: Scope | None  # the least that a caller needs; None: open to everybody
    owner: str | None = None  # the parameter that must be a member's own subject
    parameters: tuple[type[Struct], ...] = ()
    answer: Any = None  # its type, for the schema; None: see `media_type`
    etag: bool = False  # its answers have one
    paged: bool = False  # the answer has a `next` beside its own fields
    media_type: str = JSON
    method: Method = "GET"
    body: Body | None = None
    statuses: Mapping[int, str] = field(default_factory=lambda: {200: "The answer."})
    problems: tuple[Kind, ...] = ()  # besides those that every resource may give
    example: Mapping[str, str] = field(default_factory=dict)  # parameters that have an answer
    seconds: Callable[[Call], float] = lambda _: SECONDS  # that it may take
    description: str = ""
    tag: str = ""

    @property
    def name(self) -> str:
        """The operation's id: what its endpoint is called."""
        return getattr(self.endpoint, "__name__", type(self.endpoint).__name__)
