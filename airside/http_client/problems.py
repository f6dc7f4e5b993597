"""What a client of airside's services may meet, as one tree.

    AirsideError                    (schemas/errors.py)
    └── Problem                     the service answered with application/problem+json
        ├── BadRequest              400, 413, 415, 422: the request is wrong
        │   └── KeyReused           422: the same idempotency key for another command
        ├── NotAuthenticated        401: no token, or one that is not valid (any more)
        ├── NotAllowed              403: the token does not give the right
        ├── Missing                 404: no such account, license, command, title …
        ├── Conflict                409: not as things stand, such as a license that has ended
        ├── TooMany                 429: try again after `retry_after_seconds`
        └── ServiceFailed           5xx: try again after `retry_after_seconds`
    └── Unreachable                 no answer at all: connection refused, cut, or timed out

A refused command is none of these: it is an outcome, with `status` "refused" and its `code`.
"""

from typing import Any

import httpx
import msgspec

from schemas.errors import AirsideError

CODE_REUSED = "IDEMPOTENCY_KEY_REUSED"
TEXT_CHARACTERS_MAX = 500


class Said(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457), as far as it was said."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    code: str = ""
    errors: tuple[Any, ...] = ()  # texts, where several things are wrong


class Problem(AirsideError):
    """The service answered, and not as hoped. The message is the service's own."""

    def __init__(self, status: int, said: Said, retry_after_seconds: float | None) -> None:
        super().__init__(said.detail or said.title or f"HTTP status {status}")
        self.status = status
        self.type = said.type  # a URN that names the kind of problem
        self.code = said.code  # a code of the domain, where there is one
        self.errors = said.errors  # of a batch: which commands, and why
        self.retry_after_seconds = retry_after_seconds


class BadRequest(Problem):
    """The request is wrong: change it before you send it again."""


class KeyReused(BadRequest):
    """Another command was sent under this idempotency key; that one counts."""


class NotAuthenticated(Problem):
    """No token, or one that is not valid any more: get another one."""


class NotAllowed(Problem):
    """The token does not give the right to this."""


class Missing(Problem):
    """What was asked for does not exist, or is not yet in the read models."""


class Conflict(Problem):
    """Not as things stand."""


class TooMany(Problem):
    """More requests than may be, even after a few tries."""


class ServiceFailed(Problem):
    """The service cannot answer now, even after a few tries."""


class Unreachable(AirsideError):
    """No answer, even after a few tries. What was sent may have arrived: repeat it so."""


def problem_of(response: httpx.Response) -> Problem:
    """The error that a response of status 400 and above is."""
    said = _said(response)
    status, after = response.status_code, retry_after(response)
    if status == 422 and said.code == CODE_REUSED:
        return KeyReused(status, said, after)
    by_status: dict[int, type[Problem]] = {
        401: NotAuthenticated,
        403: NotAllowed,
        404: Missing,
        409: Conflict,
        429: TooMany,
    }
    cls = by_status.get(status, ServiceFailed if status >= 500 else BadRequest)
    return cls(status, said, after)


def retry_after(response: httpx.Response) -> float | None:
    """The header, in seconds; None where it is not there, or a date."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdecimal() else None


def _said(response: httpx.Response) -> Said:
    try:
        return msgspec.json.decode(response.content, type=Said)
    except (msgspec.DecodeError, UnicodeDecodeError):  # not ours: a proxy on the way
        return Said(detail=response.text[:TEXT_CHARACTERS_MAX])
