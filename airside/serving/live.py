"""What happens on an account while it happens: server-sent events.

    event: state     once, where the client has nothing yet: downloads, licenses and devices,
                     which hold everything up to the version that is the event's id
    event: change    an entry of the timeline; its version is its id
    event: end       nothing follows, and why: the account was erased

`Last-Event-ID` resumes behind that version, in whatever process and generation. A stream keeps
nothing for its client but one number: what a slow one has not taken stays in the read models.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import msgspec
from msgspec import Struct

from airside.serving.heads import GONE, LATER, Head, Heads
from airside.serving.reads import Reads
from projectors.timeline import HEAD, PROJECTION
from queries.devices import DevicesAnswer, devices
from queries.downloads import DownloadsAnswer, downloads
from queries.licenses import LicensesAnswer, licenses
from queries.reader import AtLeast, Reader, the_row
from queries.timeline import TimelineEntry, changes
from schemas.errors import NotFound, Transient, Unavailable

STREAMS_MAX = 4_096  # of one process
STREAMS_OF_ACCOUNT_MAX = 16
BEAT_SECONDS = 15.0  # between two signs of life
BATCH_MAX = 50  # changes in one piece
STATE_TRIES_MAX = 3
STATE_SECONDS = 2.0  # that the parts of a state are waited for to be as far as its version
PAUSE_SECONDS = 1.0  # after the read models could not be asked
RETRY_MS = 2_000  # after which a client comes back

BEAT = b": still here\n\n"
END = b'event: end\ndata: {"reason":"the account was erased"}\n\n'


class State(Struct, frozen=True):
    """An account as it is: everything up to `version`."""

    version: int
    downloads: DownloadsAnswer
    licenses: LicensesAnswer
    devices: DevicesAnswer


class Live:
    """The streams of one process. For one event loop."""

    def __init__(
        self,
        reads: Callable[[], Reads],
        clock: Callable[[], int],
        *,
        streams_max: int = STREAMS_MAX,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        """`clock` tells ms. Raises nothing as long as no stream is opened."""
        self._reads, self._clock = reads, clock
        self._heads = Heads(lambda need: reads().find(need))
        self._streams_max, self.beat_seconds = streams_max, beat_seconds
        self._streams: dict[str, int] = {}  # by account
        self.is_stopping = False

    @property
    def streams(self) -> int:
        """How many are open."""
        return sum(self._streams.values())

    async def open(self, account_id: str, after: int | None) -> "Stream":
        """A stream behind version `after`; None: with the state first. Close it.

        Raises: NotFound; Unavailable, also where there are too many streams.
        """
        own = self._streams.get(account_id, 0)
        if self.is_stopping or self.streams >= self._streams_max:
            raise Unavailable(
                f"this process has {self.streams} event streams open, and takes no more. Try "
                "again, or ask from time to time."
            )
        if own >= STREAMS_OF_ACCOUNT_MAX:
            raise Unavailable(
                f"{own} event streams of this account are open already: close some."
            )
        self._streams[account_id] = own + 1
        stream = Stream(self, account_id)
        try:
            await stream.begin(after)
        except BaseException:
            stream.close()
            raise
        return stream

    def stop(self) -> None:
        """Every stream ends after what it is just sending."""
        self.is_stopping = True
        self._heads.wake()

    def closed(self, account_id: str) -> None:
        """One stream of the account less."""
        self._streams[account_id] -= 1
        if not self._streams[account_id]:
            del self._streams[account_id]

    async def beyond(self, account_id: str, version: int, seq: int) -> tuple[Head, int]:
        """See Heads: whether something happened, or it is time for a sign of life."""
        return await self._heads.beyond(
            account_id, version, seq, shards=self._reads().shards, seconds=self.beat_seconds
        )

    async def head(self, account_id: str) -> tuple[int, int]:
        """Version of the account, and its shard's seq. Raises: NotFound, Unavailable."""
        return await self._reads().ask(lambda reader: _head(reader, account_id))

    async def state(self, account_id: str) -> State:
        """The account as it is. Raises: NotFound, Unavailable."""
        for _ in range(STATE_TRIES_MAX):
            question = partial(_state, account_id=account_id, at=self._clock())
            found = await self._reads().ask(question)
            parts = found.downloads, found.licenses, found.devices
            if all(part.version <= found.version for part in parts):
                break  # else something happened in between: it will be told as a change again
        return found

    async def changes(
        self, account_id: str, after: int
    ) -> tuple[int, tuple[TimelineEntry, ...]]:
        """What follows on a version, and the version it follows on. Raises as queries do."""
        found = await self._reads().ask(
            lambda reader: changes(reader, account_id, after=after, limit=BATCH_MAX)
        )
        return found.after, found.entries


class Stream:
    """One client's: an iterator of pieces to send."""

    def __init__(self, live: Live, account_id: str) -> None:
        self._live, self._account_id = live, account_id
        self._version, self._seq = 0, 0
        self._first = f"retry: {RETRY_MS}\n\n".encode()
        self._is_closed = False

    async def begin(self, after: int | None) -> None:
        """Read what comes first. Raises: NotFound, Unavailable."""
        self._version, self._seq = await self._live.head(self._account_id)
        if after is not None:
            self._version = after
            return
        state = await self._live.state(self._account_id)
        self._version = state.version
        self._first += _event("state", state.version, state)

    def close(self) -> None:
        """Another one may be opened. Again, it changes nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._live.closed(self._account_id)

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> bytes:
        """The next piece, when there is one. After the last nothing is waited for."""
        if self._first:
            first, self._first = self._first, b""
            return first
        while not (self._live.is_stopping or self._is_closed):
            with suppress(Transient):
                return await self._next()
            await asyncio.sleep(PAUSE_SECONDS)
            return BEAT
        raise StopAsyncIteration

    async def _next(self) -> bytes:
        reached, self._seq = await self._live.beyond(self._account_id, self._version, self._seq)
        try:
            if reached is LATER:
                return BEAT
            if reached is GONE:
                return self._end()
            after, entries = await self._live.changes(self._account_id, self._version)
        except NotFound:
            return self._end()
        self._version = entries[-1].version if entries else max(after, self._version)
        events = (_event("change", entry.version, entry) for entry in entries)
        return b"".join(events) or BEAT

    def _end(self) -> bytes:
        self.close()
        return END


def _event(name: str, version: int, data: Struct) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        version,
        name.encode(),
        msgspec.json.encode(data),  # has no line ends
    )


def _head(reader: Reader, account_id: str) -> tuple[int, int]:
    key = f"{account_id}/{HEAD}"
    reading = reader.of_account(PROJECTION, account_id, (key,))
    return the_row(reading, key, account_id).version, reading.standing.version


def _state(reader: Reader, account_id: str, at: int) -> State:
    version, seq = _head(reader, account_id)
    wanted = AtLeast(seq, wait_seconds=STATE_SECONDS)
    return State(
        version=version,
        downloads=downloads(reader, account_id, at=at, wanted=wanted),
        licenses=licenses(reader, account_id, at=at, wanted=wanted),
        devices=devices(reader, account_id, at=at, wanted=wanted),
    )
