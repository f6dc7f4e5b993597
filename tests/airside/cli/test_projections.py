"""How far behind a read model is said to be, and how that is shown."""

from typing import Any

import pytest
from msgspec.structs import replace

from airside.adapters.memory_view_store import MemoryViewStore
from airside.cli import output
from airside.cli.projections import show
from airside.standings import Status, Waiting, status
from projectors.view_store import Builder, Checkpoint, Generation, Verified

DOWNLOADS = Generation(projection="downloads", number=1, fingerprint="f", created_at=5_000)


def test_a_shard_that_folded_nothing_yet_lags_since_its_generation_was_made() -> None:
    found = status(MemoryViewStore(), DOWNLOADS, "serving", True, [3], 7_500)

    assert (found.lag_events, found.lag_seconds) == (3, 2.5)


def test_a_lag_is_counted_from_the_last_event_folded() -> None:
    store = MemoryViewStore()
    last = Checkpoint(2, 2, 6_500)
    store.save(DOWNLOADS, 0, expected=Checkpoint(), checkpoint=last, rows={})

    found = status(store, DOWNLOADS, "serving", True, [3], 7_500)

    assert (found.lag_events, found.lag_seconds) == (1, 1.0)


NOBODY_WAITS = Waiting(0, ())


def served(**changes: Any) -> Status:
    """A served generation with much in it, as it is shown."""
    found = status(MemoryViewStore(), DOWNLOADS, "serving", True, [3], 7_500)
    large = {"version": 12_345_678, "rows": 1_234_567, "lag_events": 123_456}
    return replace(found, **(large | changes))


def shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *found: Status
) -> list[str]:
    """What a terminal of 80 columns shows of them."""
    monkeypatch.setattr(output, "WIDTH_UNKNOWN", 80)
    show(list(found), NOBODY_WAITS)
    return capsys.readouterr().out.splitlines()


def test_a_generation_is_one_line_of_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scratch = served(name="downloads@as-of-november", label="a", role="scratch")
    unfinished = replace(scratch, whole=False, lag_seconds=5_000.0)
    day = served(lag_seconds=86_400.0)
    lines = shown(monkeypatch, capsys, served(), scratch, day, unfinished)
    lines = [line for line in lines if not line.startswith("downloads")]
    assert max(map(len, lines)) <= 80
    assert [line.split()[1:] for line in lines if "serving" in line] == [
        ["serving", "12,345,678", "1,234,567", "123,456", "2.5", "s"],
        ["serving", "12,345,678", "1,234,567", "123,456", "24", "h"],
    ]


def test_a_copy_is_whole_when_its_builder_has_come_to_the_end() -> None:
    begun = replace(DOWNLOADS, label="past", as_of=1_000, source="store")
    store = MemoryViewStore()
    early = status(store, begun, "scratch", True, [3], 7_500)
    whole = status(store, replace(begun, followed_at=2_000), "scratch", True, [3], 7_500)
    assert (early.whole, whole.whole) == (False, True)


def test_what_there_is_to_know_is_told_with_the_next_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [
        served(name="downloads@past", label="past", role="scratch", whole=False, as_of=1_000),
        served(current=False),
        served(parked=3),
        served(verified=Verified(1, 1_200, 2)),
        served(builder=Builder("me", "claim", 0, "building", 1, 4, 9.0)),
    ]
    lines = shown(monkeypatch, capsys, *found)
    assert sum("unfinished" in line for line in lines) == 1
    assert [line for line in lines if line.startswith("downloads")] == [
        "downloads@past: not whole, so it cannot be asked. Go on: airside replay downloads "
        "--as-of 1970-01-01T00:00:01.000+00:00 --into past",
        "downloads.1: built by other code (f). Run: airside replay downloads",
        "downloads.1: 3 events are parked, so rows of it are incomplete. See: airside parked",
        "downloads.1: 2 of 1,200 differ, when they were compared last",
        "downloads.1: building 1 of 4, ETA 9 s, by me",
    ]
