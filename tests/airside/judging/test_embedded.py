"""The file of the embedded engines, judged on made-up facts."""

import pytest
from msgspec.structs import replace

from airside.adapters.sqlite_facts import FileFacts
from airside.judging.embedded import judge
from airside.judging.finding import Verdict
from tests.kit.judged import troubles, verdicts

GIB = 1024**3
WELL = FileFacts("d/airside.sqlite", "3.45.1", "wal", 10_000, 50 * GIB)


def test_a_good_file_has_nothing_to_mend() -> None:
    assert troubles(judge("event store", WELL)) == {}


def test_a_journal_that_lets_readers_block_writers_is_mended() -> None:
    found = judge("event store", replace(WELL, journal_mode="delete"))
    assert troubles(found) == {"journal": "mend"}


@pytest.mark.parametrize(
    ("free", "verdict"), [(GIB, "ok"), (GIB - 1, "look"), (100 * 1024**2 - 1, "mend")]
)
def test_a_disk_that_fills_up_is_said_in_time(free: int, verdict: Verdict) -> None:
    assert verdicts(judge("event store", replace(WELL, free_bytes=free)))["disk"] == verdict
