"""Who works on which shards: the roles of several processes share them out by the log's groups.

Membership only says who *tries*. Who wins is said by the conditional writes of the stores, so
a member that is late, paused or thought dead can do no harm.
"""

from collections.abc import Callable
from typing import Protocol

Leave = Callable[[frozenset[int]], None]
"""Finish what is in flight on these shards and let go of them; somebody else takes them up."""


class Membership(Protocol):
    """One worker's place in a group that shares out the partitions of a topic."""

    def shards(self, leave: Leave) -> frozenset[int]:
        """The shards that are ours now; to be asked at least once a minute, in one thread.

        `leave` is called, inside this call, with shards that go to somebody else, before they
        do; those that were lost already are just missing from the answer.

        Raises: Unavailable.
        """

    def close(self) -> None:
        """Leave the group: the others take up at once what was ours."""


class Everything:
    """The membership where there is one worker only: all shards, for ever."""

    def __init__(self, shards: int) -> None:
        self._shards = frozenset(range(shards))

    def shards(self, leave: Leave) -> frozenset[int]:
        """All of them."""
        return self._shards

    def close(self) -> None:
        """Nobody else is there."""
