"""An event store that keeps nothing: what a handler costs without one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from commands.event_store import (
    Commit,
    Loaded,
    Parked,
    Position,
    Resumed,
    Snapshot,
    StoredEvent,
)
from schemas.errors import Fenced

NOTHING = Loaded(snapshot=None, snapshot_version=0, events=())


class NoStore:
    """Answers at once, and only to one handler, whose accounts all fit into its memory.

    It knows the shard's position, without which there is no handler, and no event.
    """

    def __init__(self) -> None:
        self._position = Position()

    def resume(self, shard: int) -> Resumed:
        return Resumed(self._position, ())

    def load(self, account_ids: Sequence[str], fingerprint: str) -> Mapping[str, Loaded]:
        return dict.fromkeys(account_ids, NOTHING)

    def load_ahead(
        self, account_ids: Sequence[str], fingerprint: str
    ) -> Callable[[], Mapping[str, Loaded]]:
        return lambda: self.load(account_ids, fingerprint)

    def begin_commit(self, commit: Commit) -> None:
        pass

    def commit(self, commit: Commit) -> None:
        if commit.number != self._position.number + 1:
            raise Fenced(f"expected commit {self._position.number + 1}, got {commit.number}.")
        self._position = commit.position

    def landed(self, commit: Commit) -> bool:
        return commit.number == self._position.number

    def indexed(self, shard: int) -> int:
        return self._position.number

    def settle(self, shard: int, number: int) -> None:
        pass

    def read(self, shard: int, *, after_seq: int, count_max: int) -> Sequence[StoredEvent]:
        return ()

    def history(self, account_id: str) -> Iterator[StoredEvent]:
        return iter(())

    def parked_accounts(self, shard: int) -> dict[str, int]:
        return {}

    def parked(self, shard: int, account_id: str | None = None) -> Iterator[Parked]:
        return iter(())

    def save_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        for _ in snapshots:
            pass
