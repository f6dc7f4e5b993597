"""The Cassandra event store keeps the contract, and what only a server of its own can show."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from stack.cassandra import CassandraNode
from tests.contracts.event_store import EventStoreContract, OpenStore
from tests.contracts.event_store_ahead import EventStoreAheadContract
from tests.contracts.event_store_reading import EventStoreReadingContract
from tests.kit.cassandra import empty, laid_out

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def session(cassandra: CassandraNode) -> Iterator[CassandraSession]:
    with laid_out(f"cassandra://{cassandra.address}/contract") as session:
        yield session


@pytest.fixture
def open_store(session: CassandraSession) -> Iterator[OpenStore]:
    empty(session)
    with ExitStack() as opened:
        yield lambda: opened.enter_context(closing(CassandraEventStore(session)))


class TestCassandraEventStore(
    EventStoreContract, EventStoreReadingContract, EventStoreAheadContract
):
    pass
