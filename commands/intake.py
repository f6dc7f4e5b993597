"""What comes into a handler: records, and the streams that they are decided on.

While a commit is under way its handler cannot decide, but it can look ahead: poll what comes
behind the batch, and ask the store for accounts that are neither in memory nor in the batch.
What it is told is good for the very next batch alone (W4): the commit under way touches
none of these accounts, and there is no other commit in between.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from commands.decider import Context, Decider
from commands.event_store import EventStore, Loaded
from commands.limits import Limits
from commands.log import CommandSource
from commands.parking import is_operator, until_operator
from commands.receive import Received, receive
from commands.snapshots import StreamReader
from commands.stream import Stream
from commands.tenure import Ahead, Tenure
from schemas.codec import Codec
from schemas.errors import Permanent

S = TypeVar("S")
X = TypeVar("X", bound=Context)


class Intake(Generic[S, X]):
    """Of one shard."""

    def __init__(
        self,
        *,
        shard: int,
        shards: int,
        decider: Decider[S, X],
        codec: Codec,
        store: EventStore,
        source: CommandSource,
        limits: Limits,
    ) -> None:
        self._reader = StreamReader(decider, codec)
        self.snapshot = self._reader.snapshot
        self._shard, self._shards, self._codec = shard, shards, codec
        self._store, self._source, self._limits = store, source, limits

    def poll(self, tenure: Tenure[S], wait_seconds: float = 0.0) -> None:
        """Fill up what has arrived, to one batch; waits only while nothing has."""
        self._poll(tenure, self._limits.batch_records_max - len(tenure.arrived), wait_seconds)

    def streams(
        self, tenure: Tenure[S], items: Sequence[Received]
    ) -> dict[str, Stream[S] | Permanent]:
        """The stream of every account that is decided on, loaded where it is not here.

        Raises: Overtaken, Unavailable.
        """
        ahead, tenure.ahead = tenure.ahead, None
        streams: dict[str, Stream[S] | Permanent] = {}
        missing: list[str] = []
        held = {} if is_operator(items[0]) else tenure.held
        for account_id in decided_on(items, held):
            stream = tenure.cache.get(account_id)
            if stream is None:
                missing.append(account_id)
            else:
                streams[account_id] = stream
        loaded: dict[str, Stream[S] | Permanent] = {}
        if missing:
            found = self._found(missing, ahead, tenure.position.number)
            loaded = self._reader.folded(self._store, found, seq_max=tenure.position.seq)
        tenure.dear = frozenset(
            account_id
            for account_id, stream in loaded.items()
            if not isinstance(stream, Permanent)
            and stream.version - stream.snapshot_version >= self._limits.snapshot_loaded
        )
        return streams | loaded

    def look_ahead(self, tenure: Tenure[S]) -> None:
        """While the pending batch is under way: poll what comes next, ask for its accounts.

        Raises: Unavailable.
        """
        batch = tenure.pending
        if batch is None or tenure.ahead is not None:
            return
        left = len(tenure.arrived) - batch.consumed
        self._poll(tenure, self._limits.batch_records_max - left, 0.0)
        items = until_operator(tenure.arrived[batch.consumed :])
        here = batch.streams.keys() | tenure.unchanged.keys()
        missing = [
            account_id
            for account_id in decided_on(items, batch.held)
            if account_id not in here and account_id not in tenure.cache
        ]
        if missing:
            answer = self._store.load_ahead(missing, self._reader.fingerprint)
            tenure.ahead = Ahead(batch.commit.number, answer)

    def _poll(self, tenure: Tenure[S], room: int, wait_seconds: float) -> None:
        if room <= 0:
            return
        arrived = tenure.arrived
        next_offset = arrived[-1].offset + 1 if arrived else tenure.position.next_offset
        records = self._source.poll(room, 0.0 if arrived else wait_seconds)
        shard, shards, codec = self._shard, self._shards, self._codec
        arrived += [receive(r, shard, shards, codec) for r in records if r[0] >= next_offset]

    def _found(
        self, missing: Sequence[str], ahead: Ahead | None, number: int
    ) -> Mapping[str, Loaded]:
        known: Mapping[str, Loaded] = {}
        if ahead is not None and ahead.number == number:
            known = ahead.answer()
        unknown = [account_id for account_id in missing if account_id not in known]
        loaded: Mapping[str, Loaded] = {}
        if unknown:
            loaded = self._store.load(unknown, self._reader.fingerprint)
        return {a: known.get(a) or loaded[a] for a in missing}


def decided_on(items: Sequence[Received], held: Mapping[str, int]) -> list[str]:
    """The accounts that these records need, each once; not those that are held."""
    needed = {item.account_id: None for item in items if item.command is not None}
    return [account_id for account_id in needed if account_id not in held]
