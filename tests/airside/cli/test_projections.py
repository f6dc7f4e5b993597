"""How far behind a read model is said to be."""

from airside.adapters.memory_view_store import MemoryViewStore
from airside.cli.projections import status
from projectors.view_store import Checkpoint, Generation

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
