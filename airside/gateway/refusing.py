"""How the gateway's own refusals look over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from airside.gateway.gate import Busy
from airside.gateway.repeats import KeyReused
from airside.gateway.requests import InvalidBatch
from airside.gateway.senders import NotAllowed
from airside.web.problems import (
    FORBIDDEN,
    INVALID,
    NO_MEDIA,
    RETRY_SECONDS,
    TOO_MANY,
    Kind,
    Problem,
    Rejected,
    rejected,
)
from airside.web.resource import JSON

CODE_REUSED = "IDEMPOTENCY_KEY_REUSED"
KEY_REUSED = Kind(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "idempotency-key-reused",
    "The key was used for another command",
)


@contextmanager
def as_problems() -> Iterator[None]:
    """Raises: Rejected where the block raises an error that only a gateway has."""
    try:
        yield
    except InvalidBatch as error:
        raise Rejected(Problem(INVALID, str(error), errors=error.errors)) from None
    except NotAllowed as error:
        raise rejected(FORBIDDEN, str(error)) from None
    except KeyReused as error:
        raise rejected(KEY_REUSED, str(error), code=CODE_REUSED) from None
    except ClientDisconnect:
        raise rejected(INVALID, "the body broke off: nothing was sent. Repeat it.") from None
    except Busy as error:
        raise rejected(TOO_MANY, str(error), Retry_After=str(RETRY_SECONDS)) from None


def check_media_type(request: Request) -> None:
    """Raises: Rejected where the body says that it is no JSON."""
    said = request.headers.get("content-type", "")
    if said.partition(";")[0].strip().lower() != JSON:
        raise rejected(
            NO_MEDIA, f"content-type {said!r:.60}: send the header Content-Type: {JSON}."
        )
