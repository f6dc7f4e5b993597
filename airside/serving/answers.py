"""Answers as HTTP has them: JSON, an entity tag, from when they are, and one page of a list."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import xxhash
from msgspec import Struct

from airside.serving.parameters import Page
from airside.web.resource import Answer
from queries.reader import Standing
from schemas.errors import Invalid
from schemas.record import shard_of

T = TypeVar("T")
C = TypeVar("C")

_encode = msgspec.json.encode
_NO_NEXT = b',"next":null}'


def answer(found: Struct, standing: Standing, version: str = "", *, steady: Any) -> Answer:
    """The struct as JSON.

    `steady` is the same answer without what changes by the mere passing of time: the entity tag
    is made of it, and of how far the answer is behind: else a client would be told that what it
    got too early is as fresh as it asked for.
    """
    tag = etag_of(steady, standing.behind)
    return Answer(_encode(found), etag=tag, headers=from_when(standing, version))


def page(
    found: Struct, standing: Standing, version: str = "", *, steady: Any, following: Any
) -> Answer:
    """The same with `next`: where the page after this one begins; None: this is the last."""
    body = bytearray(_encode(found))
    if following is None:
        body[-1:] = _NO_NEXT
    else:
        body[-1:] = b',"next":' + _encode(cursor_of(following)) + b"}"
    tag = etag_of(steady, following, standing.behind)
    return Answer(bytes(body), etag=tag, headers=from_when(standing, version))


def etag_of(*steady: Any) -> str:
    """A weak entity tag: the same says the same, encoded in whatever way."""
    return f'W/"{xxhash.xxh3_64_hexdigest(_encode(steady))}"'


def row_etag(body: bytes, version: int) -> str:
    """Of a stored row: its version, and a digest, since rows may be rebuilt or healed."""
    return f'W/"{version}-{xxhash.xxh3_64_hexdigest(body)}"'


def from_when(standing: Standing, version: str = "") -> dict[str, str]:
    """Headers: how far the read model was, in the words of a read-your-writes token."""
    headers = {"Airside-Generation": standing.generation}
    if version:
        headers["Airside-Version"] = version
    if standing.behind:
        headers["Airside-Behind"] = str(standing.behind)
    return headers


def version_of(standing: Standing, account_id: str, shards: int) -> str:
    """`shard:seq`, for an answer about one account."""
    return f"{shard_of(account_id, shards)}:{standing.version}"


def cut(items: Sequence[T], limit: int) -> tuple[tuple[T, ...], T | None]:
    """One page, and its last item if more follow."""
    if len(items) <= limit:
        return tuple(items), None
    return tuple(items[:limit]), items[limit - 1]


def cursor_of(place: Any) -> str:
    """Opaque text for a place in a list."""
    return base64.urlsafe_b64encode(_encode(place)).rstrip(b"=").decode()


def place_of(asked: Page, kind: type[C]) -> C | None:
    """Where the page begins: behind this place; None: at the beginning. Raises: Invalid."""
    if asked.cursor is None:
        return None
    try:
        padded = asked.cursor + "=" * (-len(asked.cursor) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=kind)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise Invalid(
            f"cursor {asked.cursor:.40}: it is not one that this list gave. Begin without one."
        ) from error
