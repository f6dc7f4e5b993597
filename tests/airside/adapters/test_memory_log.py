"""The memory log keeps the contract."""

import pytest

from airside.adapters.memory_log import MemoryLog
from tests.contracts.log import LogContract
from tests.kit.clock import HandClock


class TestMemoryLog(LogContract):
    @pytest.fixture
    def log(self, clock: HandClock) -> MemoryLog:
        return MemoryLog(clock)
