"""The verbs of the README, on a running `airside up`."""

from collections.abc import Iterator

import pytest

from tests.contracts.verbs import VerbsContract, check_answered
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

    @pytest.mark.parametrize(
        ("words", "shown"),
        [
            (["downloads", "a1"], "By title"),
            (["licenses", "a1", "--state", "active", "--device", "d1"], "ACTIVE"),
            (["devices", "a1"], "plan standard, DE, open"),
            (["timeline", "a1"], "AccountOpened"),
            (["title", "t1"], "issued"),
            (["studio", "s1"], "issued"),
            (["expiring", "--within", "2592001"], "a1"),
            (["refusals"], "in words"),
            (["can-download", "a1", "d1", "t5"], "allowed"),
        ],
    )
    def test_every_question_is_answered_as_a_table_and_as_json(
        self, member: Shell, words: list[str], shown: str
    ) -> None:
        check_answered(member, words, shown)
