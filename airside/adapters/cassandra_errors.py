"""What Cassandra and its driver say, in our words: a fact, hosts and keyspace, a next step."""

from collections.abc import Iterator
from contextlib import contextmanager

import cassandra
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionBusy, ConnectionException
from cassandra.protocol import ErrorMessage, SyntaxException

from airside.urls import Address
from schemas.errors import AirsideError, Invalid, NotFound, TooLarge, Unavailable

FAILURES: tuple[type[Exception], ...] = (
    cassandra.DriverException,
    NoHostAvailable,
    ConnectionException,
    ErrorMessage,
    OSError,
)
ALL_FAILURES: tuple[type[Exception], ...] = (*FAILURES, AirsideError)
MISSING = ("does not exist", "unconfigured table", "non existing keyspace")
LARGE = ("exceeds allowed maximum", "too large")
TEXT_MAX = 400  # of what the driver says


def translated(error: Exception, address: Address) -> AirsideError:
    """The error that a caller can act on; its text has no password."""
    if isinstance(error, AirsideError):
        return error
    text = told_by(error)
    if isinstance(error, NoHostAvailable):
        if isinstance(error.errors, dict):
            for inner in error.errors.values():
                if isinstance(inner, cassandra.AuthenticationFailed):
                    return translated(inner, address)
        return Unavailable(f"{address}: no node answers: {text} Is it up, and reachable?")
    if isinstance(error, cassandra.UnresolvableContactPoints):
        return Unavailable(f"{address}: no such host is known. Check the names, and the DNS.")
    if isinstance(error, cassandra.AuthenticationFailed):
        who = f"user {address.user!r}" if address.user else "nobody: the URL has no user"
        return Invalid(f"{address}: the server does not let in {who}. Check user and password.")
    if isinstance(error, cassandra.Unauthorized):
        return Invalid(f"{address}: {text} Grant it to user {address.user!r}.")
    if isinstance(error, cassandra.RequestValidationException | SyntaxException):
        if any(word in text for word in MISSING):
            return NotFound(f"{address} is not laid out: {text} Run: airside init")
        if any(word in text for word in LARGE):
            return TooLarge(
                f"{address}: {text} Send less at once, or raise the server's limit."
            )
        return Invalid(f"{address}: {text}")
    return Unavailable(f"{address}: {text} Try again.")


def is_busy(error: Exception) -> bool:
    """Whether nothing was sent because all connections have too much to send already."""
    if isinstance(error, NoHostAvailable) and isinstance(error.errors, dict):
        return bool(error.errors) and all(map(is_busy, error.errors.values()))
    return isinstance(error, ConnectionBusy)


@contextmanager
def answering(address: Address) -> Iterator[None]:
    """The driver's errors as ours. Raises: Invalid, NotFound, Unavailable."""
    try:
        yield
    except FAILURES as error:
        raise translated(error, address) from error


def told_by(error: Exception) -> str:
    """The driver's words as one sentence of bounded length."""
    text = " ".join(str(error).split())[:TEXT_MAX].rstrip(".") or "no reason given"
    return f"{type(error).__name__}: {text}."
