"""The memory event store keeps the contract."""

import pytest

from airside.adapters.memory_event_store import MemoryEventStore
from tests.contracts.event_store import EventStoreContract, OpenStore
from tests.contracts.event_store_ahead import EventStoreAheadContract
from tests.contracts.event_store_reading import EventStoreReadingContract


class TestMemoryEventStore(
    EventStoreContract, EventStoreReadingContract, EventStoreAheadContract
):
    @pytest.fixture
    def open_store(self) -> OpenStore:
        store = MemoryEventStore()
        return lambda: store
