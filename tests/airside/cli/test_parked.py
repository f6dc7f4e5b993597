"""Poison on the commands topic of a running `airside up`."""

from collections.abc import Iterator

import pytest

from tests.contracts.parking import ParkingContract
from tests.kit.cli import CATALOG, Shell, up


@pytest.mark.engines
class TestParking(ParkingContract):
    @pytest.fixture
    def shell(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
        data = tmp_path_factory.mktemp("parked") / "data"
        with up(data):
            shell = Shell(data)
            assert shell("catalog", "load", str(CATALOG)).code == 0
            yield shell
