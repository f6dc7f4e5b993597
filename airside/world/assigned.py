"""A membership that somebody else decides on."""

from airside.membership import Leave


class Assigned:
    """What is assigned next; what is taken away is asked back first, as a group does."""

    def __init__(self, *shards: int) -> None:
        self.next = frozenset(shards)
        self._now: frozenset[int] = frozenset()
        self.is_closed = False

    def lose(self, *shards: int) -> None:
        """Gone without being asked back: this member was thought dead."""
        self.next -= set(shards)
        self._now -= set(shards)

    def shards(self, leave: Leave) -> frozenset[int]:
        """What is assigned now."""
        if revoked := self._now - self.next:
            leave(revoked)
        self._now = self.next
        return self._now

    def close(self) -> None:
        """Leave the group."""
        self.is_closed = True
