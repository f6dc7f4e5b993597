"""Problem documents (RFC 9457): every answer that is not what was asked for has this shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

import msgspec
from msgspec import Struct

from schemas.errors import (
    AirsideError,
    Contradiction,
    Invalid,
    Moved,
    NotFound,
    TooLarge,
    Transient,
    Unreadable,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1  # after which an engine that was away may be back


class Kind(NamedTuple):
    """One type of problem: its URN ends with the name, and never changes."""

    status: HTTPStatus
    name: str
    title: str

    @property
    def urn(self) -> str:
        """The `type` of the document."""
        return f"urn:airside:problem:{self.name}"


INVALID = Kind(HTTPStatus.BAD_REQUEST, "invalid", "The request is not allowed as it is")
NO_TOKEN = Kind(HTTPStatus.UNAUTHORIZED, "unauthenticated", "A valid bearer token is needed")
FORBIDDEN = Kind(HTTPStatus.FORBIDDEN, "forbidden", "The token does not allow this")
NOT_FOUND = Kind(HTTPStatus.NOT_FOUND, "not-found", "What was asked for does not exist")
NO_PATH = Kind(HTTPStatus.NOT_FOUND, "no-such-path", "There is no resource at this path")
NO_METHOD = Kind(
    HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "The resource has no such method"
)
NOT_ACCEPTABLE = Kind(
    HTTPStatus.NOT_ACCEPTABLE, "not-acceptable", "The answer has no such media type"
)
CONFLICT = Kind(HTTPStatus.CONFLICT, "conflict", "The request contradicts what is there")
TOO_LARGE = Kind(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "The request is over its bound"
)
NO_MEDIA = Kind(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body is of another type"
)
UNPROCESSABLE = Kind(
    HTTPStatus.UNPROCESSABLE_ENTITY, "unprocessable", "The content cannot be taken"
)
MISDIRECTED = Kind(
    HTTPStatus.MISDIRECTED_REQUEST, "misdirected", "The request was meant for another host"
)
TOO_MANY = Kind(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "Too many requests")
HEAD_TOO_LARGE = Kind(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head-too-large", "Too much before the body"
)
INTERNAL = Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "The service made a mistake")
UNAVAILABLE = Kind(
    HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The service cannot answer now"
)

OF_ERRORS: tuple[tuple[type[AirsideError], Kind], ...] = (
    (NotFound, NOT_FOUND),
    (TooLarge, TOO_LARGE),
    (Contradiction, CONFLICT),
    (Unreadable, UNPROCESSABLE),
    (Invalid, INVALID),
    (Transient, UNAVAILABLE),
    (Moved, UNAVAILABLE),
)
"""The first that fits; every other error is a mistake of the service."""


class Document(Struct, omit_defaults=True):
    """The body. `code` is the domain's own word for a refusal, where there is one."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""  # the request's id, as in the log
    code: str = ""
    errors: tuple[str, ...] = ()  # where several things are wrong, each of them


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, for whoever asked."""

    kind: Kind
    detail: str
    code: str = ""
    errors: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, instance: str) -> bytes:
        """The document as JSON."""
        return msgspec.json.encode(
            Document(
                type=self.kind.urn,
                title=self.kind.title,
                status=int(self.kind.status),
                detail=self.detail,
                instance=f"urn:airside:request:{instance}" if instance else "",
                code=self.code,
                errors=self.errors,
            )
        )


class Rejected(AirsideError):
    """The request is answered with this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def rejected(kind: Kind, detail: str, *, code: str = "", **headers: str) -> Rejected:
    """The error to raise. Headers are written with underscores: `Retry_After="1"`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Rejected(Problem(kind, detail, code, headers=named))


def problem_of(error: AirsideError) -> Problem:
    """The problem that an error is to whoever asked."""
    if isinstance(error, Rejected):
        return error.problem
    for cls, kind in OF_ERRORS:
        if isinstance(error, cls):
            later = {"Retry-After": str(RETRY_SECONDS)} if kind is UNAVAILABLE else {}
            return Problem(kind, str(error), headers=later)
    return Problem(INTERNAL, str(error))
