"""Idempotency keys: the command id that a client chooses, and the time that the id carries.

A command's identity is its id together with `issued_at` (README, "Retries"). A gateway that
filled in its own clock would give a late retry another `issued_at`, and the write side, which
has let go of the id by then, could take it for a new command. So `issued_at` is said in the
body, or read out of the key: UUIDs of version 7, 6 and 1 carry the time they were made.
"""

from dataclasses import dataclass
from uuid import UUID

from schemas.envelope import INSTANT_MAX, derived_id
from schemas.errors import Invalid

HEADER = "Idempotency-Key"

GREGORIAN_MS = 12_219_292_800_000  # from 1582-10-15, where versions 1 and 6 begin, to 1970
TICKS_PER_MS = 10_000  # of 100 ns

MAKE_ONE = (
    "Make a version 7 UUID when you first send the command (version 1 does too: "
    "`uuidgen --time`), and send the same one with every retry."
)


@dataclass(frozen=True, slots=True)
class Key:
    """What an idempotency key says."""

    command_id: str
    issued_at: int | None  # ms; None where the key does not carry a time

    def nth(self, n: int) -> str:
        """The id of the n-th command of a batch that does not say its own."""
        return derived_id(self.command_id, n)


def parse_key(text: str | None) -> Key:
    """The key of a request's header. Raises: Invalid."""
    if not text:
        raise Invalid(f"no header {HEADER}. {MAKE_ONE}")
    try:
        uuid = UUID(text.strip().strip('"'))  # the draft standard writes it in quotes
    except ValueError:
        raise Invalid(f"{HEADER} {text!r:.60} is not a UUID. {MAKE_ONE}") from None
    return Key(uuid.hex, made_at(uuid))


def made_at(uuid: UUID) -> int | None:
    """When a UUID was made, in ms; None where it does not say, or not an instant we know."""
    number = uuid.int
    if uuid.version == 7:
        at = number >> 80
    elif uuid.version == 6:
        ticks = (number >> 80) << 12 | (number >> 64) & 0xFFF
        at = ticks // TICKS_PER_MS - GREGORIAN_MS
    elif uuid.version == 1:
        at = uuid.time // TICKS_PER_MS - GREGORIAN_MS
    else:
        return None
    return at if 0 <= at <= INSTANT_MAX else None
