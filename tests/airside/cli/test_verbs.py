"""The verbs of the README, on a running `airside up`."""

from collections.abc import Iterator

import pytest

from tests.contracts.verbs import VerbsContract
from tests.kit.cli import CATALOG, Shell, up


@pytest.mark.engines
class TestVerbs(VerbsContract):
    @pytest.fixture(scope="class")
    @classmethod
    def shell(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
        data = tmp_path_factory.mktemp("verbs") / "data"
        with up(data):
            shell = Shell(data)
            assert shell("catalog", "load", str(CATALOG)).code == 0
            yield shell
