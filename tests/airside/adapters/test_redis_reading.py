"""What is left of a read that was cut off is nobody's answer."""

from typing import Any, cast

import pytest

from airside.adapters.redis_reading import read_each
from airside.adapters.redis_servers import Servers


class Interrupted:
    """A server, its pool and its one connection; Ctrl-C comes while the answer is awaited."""

    def __init__(self) -> None:
        self.connection_pool = self
        self.unread: list[bytes] = []
        self.released = 0

    def owner(self, key: str) -> "Interrupted":
        return self

    def get_connection(self) -> "Interrupted":
        return self

    def release(self, connection: "Interrupted") -> None:
        self.released += 1

    def send_packed_command(self, packed: list[bytes]) -> None:
        self.unread += packed

    def read_response(self, **options: Any) -> None:
        raise KeyboardInterrupt

    def disconnect(self) -> None:
        self.unread.clear()


def test_a_connection_with_an_answer_still_to_come_is_closed() -> None:
    server = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        read_each(cast(Servers, server), [("key", [("GET", "key")])])
    assert (server.unread, server.released) == ([], 1)
