"""The memory view store keeps the contract."""

import pytest

from airside.adapters.memory_view_store import MemoryViewStore
from tests.contracts.digests import DigestContract
from tests.contracts.view_store import ViewStoreContract


class TestMemoryViewStore(ViewStoreContract, DigestContract):
    @pytest.fixture
    def store(self) -> MemoryViewStore:
        return MemoryViewStore()
