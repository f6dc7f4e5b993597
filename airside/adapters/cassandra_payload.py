"""The events of a commit as one blob: columns, since those compress best and decode fastest.

The first byte says how the rest is written; whoever reads old commits knows all of them.
"""

from collections.abc import Sequence
from itertools import count

import msgspec
import zstandard
from msgspec import Struct

from commands.event_store import Commit, Parked, StoredEvent
from schemas.errors import TooLarge, Unreadable

PLAIN, ZSTD = b"\x01", b"\x02"
COMPRESSED_FROM_BYTES = 4_096  # of less, the bytes saved are not worth the time (measured)
ZSTD_LEVEL = 1

# A server takes mutations of half a commit log segment (32 MiB unless set otherwise) and
# requests of 16 MiB; a conditional write is stored with its ballot, so some room is left.
PAYLOAD_BYTES_MAX = 15 * 1024 * 1024


class Packing:
    """Bytes as they are stored: one that says how, then the rest. For one thread at a time."""

    def __init__(self) -> None:
        self._compress = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress
        self._decompress = zstandard.ZstdDecompressor().decompress

    def packed(self, plain: bytes) -> bytes:
        """Compressed where that is worth it; the same for the same bytes."""
        if len(plain) < COMPRESSED_FROM_BYTES:
            return PLAIN + plain
        return ZSTD + self._compress(plain)

    def unpacked(self, stored: bytes) -> bytes:
        """What was packed. Raises: Unreadable."""
        how, rest = stored[:1], stored[1:]
        if how == PLAIN:
            return rest
        if how != ZSTD:
            raise Unreadable(
                f"stored bytes begin with {how!r}, which this code does not know. They were "
                "written by a newer airside: use that one."
            )
        try:
            return self._decompress(rest)
        except zstandard.ZstdError as error:
            raise Unreadable(f"stored bytes are damaged: {error}.") from error


class Payload(Struct, frozen=True, array_like=True):
    """The content as it is stored. Seqs are consecutive, so none is kept."""

    account_ids: Sequence[str]
    versions: Sequence[int]
    data: Sequence[bytes]
    parked: tuple[tuple[int, str, int, str, bytes], ...]
    unparked: tuple[int, ...]


class Content(Struct, frozen=True):
    """What a commit brings besides its position."""

    events: tuple[StoredEvent, ...]
    parked: tuple[Parked, ...]
    unparked: tuple[int, ...]


class Payloads:
    """Encodes and decodes; for one thread at a time, as zstd's contexts are."""

    def __init__(self) -> None:
        self._decoder = msgspec.msgpack.Decoder(Payload)
        self._packing = Packing()

    def encode(self, commit: Commit) -> bytes:
        """The same bytes for the same commit. Raises: TooLarge."""
        events = commit.events
        payload = Payload(
            [event.account_id for event in events],
            [event.version for event in events],
            [event.data for event in events],
            tuple((p.offset, p.account_id, p.at, p.reason, p.value) for p in commit.parked),
            commit.unparked,
        )
        encoded = self._packing.packed(msgspec.msgpack.encode(payload))
        if len(encoded) > PAYLOAD_BYTES_MAX:
            raise TooLarge(
                f"shard {commit.shard}, commit {commit.number}: {len(encoded)} bytes, at most "
                f"{PAYLOAD_BYTES_MAX} fit one write. Commit a smaller batch."
            )
        return encoded

    def decode(self, encoded: bytes, first_seq: int) -> Content:
        """What is in it. Raises: Unreadable."""
        payload = self._decode(encoded)
        columns = (payload.account_ids, payload.versions, payload.data)
        return Content(
            tuple(map(StoredEvent, count(first_seq), *columns)),
            tuple(Parked(*one) for one in payload.parked),
            payload.unparked,
        )

    def _decode(self, encoded: bytes) -> Payload:
        try:
            return self._decoder.decode(self._packing.unpacked(encoded))
        except msgspec.MsgspecError as error:
            raise Unreadable(f"a commit's payload is damaged: {error}.") from error
