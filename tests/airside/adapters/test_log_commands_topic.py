"""The gateway's topic on the embedded log keeps the contract."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from airside.adapters.log_commands_topic import LogCommandsTopic
from airside.adapters.sqlite_log import SqliteLog
from tests.contracts.commands_topic import CommandsTopicContract, OpenTopic
from tests.kit.clock import HandClock


class TestLogCommandsTopic(CommandsTopicContract):
    @pytest.fixture
    def opened(self, tmp_path: Path) -> OpenTopic:
        return lambda: LogCommandsTopic(lambda: SqliteLog(tmp_path / "log", HandClock()))

    @pytest.fixture
    def log(self, tmp_path: Path) -> Iterator[SqliteLog]:
        with closing(SqliteLog(tmp_path / "log", HandClock())) as log:
            yield log
