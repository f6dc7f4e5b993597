"""The envelopes: what every command and every event carries, whatever it is about.

Ids are UUIDs, written as 32 lowercase hex digits in Python and JSON and as `fixed(16)` in Avro.
Instants are whole milliseconds since 1970 in UTC and end in `_at` (`at` is *the* instant of an
event). Durations end in `_s` (seconds). Every text is bounded, so every message is.
"""

import hashlib
import uuid
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

ID_CHARACTERS_MAX = 128
NOTE_CHARACTERS_MAX = 1_000
INSTANT_MAX = 4_102_444_800_000  # 2100-01-01T00:00:00Z, in ms
LIST_ITEMS_MAX = 1_000

Uuid = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Name = Annotated[str, Meta(min_length=1, max_length=ID_CHARACTERS_MAX)]
Note = Annotated[str, Meta(max_length=NOTE_CHARACTERS_MAX)]
Instant = Annotated[int, Meta(ge=0, le=INSTANT_MAX)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Uuids = Annotated[tuple[Uuid, ...], Meta(max_length=LIST_ITEMS_MAX)]


class Command(
    Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True, gc=False
):
    """A wish. It takes effect at most once, however often its `command_id` is delivered."""

    command_id: Uuid
    account_id: Name
    issued_at: Instant  # by the clock of who asks
    actor: Name = "member"  # who asks: member, support:<name>, timekeeper, …


class Event(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """A fact. The handler stamps this envelope; `decide` only says what happened."""

    event_type: ClassVar[type["Event"]]  # its class; a partly decoded event names it too

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.event_type = cls

    seq: int = 0  # 1, 2, 3 … within the shard
    version: int = 0  # 1, 2, 3 … within the account
    at: int = 0  # the broker's append time of the command; never runs backwards in an account
    issued_at: int = 0  # of the command; its `at` instead where the claim was refused as skewed
    catalog_version: int = 0  # of the catalog that decided
    command_id: Uuid = ""
    account_id: str = ""
    actor: str = ""


def derived_id(command_id: str, n: int | str) -> str:
    """The n-th id that a command gives out: `uuid5`, so a repeat would give out the same.

    RFC 9562, section 5.5, spelled out: the uuid module takes four times as long, in every
    decision that issues a license.
    """
    name = hashlib.sha1(bytes.fromhex(command_id) + str(n).encode(), usedforsecurity=False)
    octets = bytearray(name.digest()[:16])
    octets[6] = octets[6] & 0x0F | 0x50
    octets[8] = octets[8] & 0x3F | 0x80
    return octets.hex()


def new_id() -> str:
    """A fresh random id, for the edge of the system only."""
    return uuid.uuid4().hex


def parse_id(text: str) -> str:
    """An id from any usual spelling of a UUID. Raises: ValueError."""
    return uuid.UUID(text).hex
