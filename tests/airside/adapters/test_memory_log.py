"""The memory log keeps the contract."""

import pytest

from airside.adapters.memory_log import MemoryLog
from tests.contracts.embedded_log import EmbeddedLogContract
from tests.contracts.log_traces import LogTracesContract
from tests.kit.clock import HandClock


class TestMemoryLog(EmbeddedLogContract, LogTracesContract):
    @pytest.fixture
    def log(self, clock: HandClock) -> MemoryLog:
        return MemoryLog(clock)
