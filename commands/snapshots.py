"""Streams from what a store loads, and snapshots of them.

A snapshot is good only for the code that folded it. Its fingerprint is a digest of that code
and of all schemas, so that nobody bumps a number by hand: another fingerprint means that the
snapshot is ignored and the history is folded again.
"""

import hashlib
import inspect
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from commands import stream as stream_module
from commands.decider import Context, Decider
from commands.event_store import EventStore, Loaded, Snapshot
from commands.stream import Ring, Stream, bug_of
from schemas import events as event_classes
from schemas.codec import Codec
from schemas.errors import Overtaken, Permanent, Unreadable

S = TypeVar("S")
X = TypeVar("X", bound=Context)

NO_SNAPSHOT = ""  # a fingerprint that no snapshot has: the whole history is loaded


class Image(Struct, frozen=True, array_like=True):
    """A stream as it is stored, in msgpack."""

    version: int
    at: int
    forgotten_until: int
    recent: tuple[bytes, bytes]  # ids and instants, as a ring packs them
    operators: dict[str, int]
    state: Raw


class StreamReader(Generic[S, X]):
    """Loads streams and makes snapshots of them, for one decider."""

    def __init__(self, decider: Decider[S, X], codec: Codec) -> None:
        self.fingerprint = fingerprint_of(decider, codec)
        self._decider = decider
        self._decode = codec.decode_event
        self._image = msgspec.msgpack.Decoder(Image)
        self._state: msgspec.msgpack.Decoder[S] = msgspec.msgpack.Decoder(decider.state_type)

    def load(
        self, store: EventStore, account_ids: Sequence[str], *, seq_max: int | None = None
    ) -> dict[str, Stream[S] | Permanent]:
        """Each account's stream, or why its history cannot be folded.

        Raises: Overtaken where an event lies beyond `seq_max`, the shard's seq as the caller
        knows it; Unavailable.
        """
        found = store.load(account_ids, self.fingerprint)
        return self.folded(store, found, seq_max=seq_max)

    def folded(
        self, store: EventStore, found: Mapping[str, Loaded], *, seq_max: int | None = None
    ) -> dict[str, Stream[S] | Permanent]:
        """The same of what is loaded already."""
        streams: dict[str, Stream[S] | Permanent] = {}
        for account_id, loaded in found.items():
            if seq_max is not None and loaded.events and loaded.events[-1].seq > seq_max:
                raise Overtaken(
                    f"account {account_id}: found seq {loaded.events[-1].seq}, but the shard "
                    f"was known to end at {seq_max}. Another worker has it: resume."
                )
            try:
                streams[account_id] = self._fold(store, account_id, loaded)
            except Permanent as error:
                streams[account_id] = error
        return streams

    def snapshot(self, stream: Stream[S]) -> Snapshot:
        """A stream as the store keeps it."""
        state = Raw(msgspec.msgpack.encode(stream.state))
        image = Image(
            stream.version,
            stream.at,
            stream.forgotten_until,
            stream.recent.packed(),
            stream.operators,
            state,
        )
        data = msgspec.msgpack.encode(image)
        return Snapshot(stream.account_id, stream.version, self.fingerprint, data)

    def _fold(self, store: EventStore, account_id: str, loaded: Loaded) -> Stream[S]:
        start = self._start(account_id, loaded)
        if start is None:  # a snapshot that cannot be read is as good as none
            loaded = store.load([account_id], NO_SNAPSHOT)[account_id]
            start = Stream(account_id, self._decider.initial(account_id))
        try:
            events = [self._decode(event.data) for event in loaded.events]
            start.apply(events, self._decider.evolve)
        except Permanent:
            raise
        except Exception as bug:
            raise Unreadable(
                f"account {account_id}: its history cannot be folded: {bug_of(bug)}"
            ) from bug
        return start

    def _start(self, account_id: str, loaded: Loaded) -> Stream[S] | None:
        if loaded.snapshot is None:
            return Stream(account_id, self._decider.initial(account_id))
        try:
            image = self._image.decode(loaded.snapshot)
            state = self._state.decode(image.state)
        except msgspec.MsgspecError:
            return None
        return Stream(
            account_id,
            state,
            image.version,
            image.at,
            image.forgotten_until,
            Ring(*image.recent),
            image.operators,
            snapshot_version=image.version,
        )


def load_stream(
    store: EventStore, decider: Decider[S, Any], codec: Codec, account_id: str
) -> Stream[S]:
    """One account as it stands now, to look at and not to commit to.

    Raises: Unreadable or Hole where its history cannot be folded; Unavailable.
    """
    reader = StreamReader(decider, codec)
    stream = reader.load(store, [account_id])[account_id]
    if isinstance(stream, Permanent):
        raise stream
    return stream


def fingerprint_of(decider: Decider[Any, Any], codec: Codec) -> str:
    """A digest of what a folded stream depends on: fold code, event classes, schemas."""
    digest = hashlib.sha256(codec.fingerprint().encode())
    here = sys.modules[__name__]
    for module in (*decider.fold_modules, stream_module, here, event_classes):
        digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()[:32]
