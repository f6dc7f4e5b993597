"""The cache of streams: bounded, and pinned by what is not indexed."""

from commands.cache import StreamCache
from commands.stream import Stream
from tests.kit.counter import Count


def streams(*account_ids: str, version: int = 1) -> dict[str, Stream[Count]]:
    return {a: Stream(a, Count(a), version=version) for a in account_ids}


def kept(cache: StreamCache[Count], account_ids: str) -> str:
    return "".join(a for a in account_ids if a in cache)


def test_the_least_recently_decided_on_go_first() -> None:
    cache = StreamCache[Count](streams_max=2)
    cache.install(streams("a", "b"), number=1)
    cache.install(streams("c", "a"), number=2)
    cache.evict(indexed=2)
    assert kept(cache, "abc") == "ac"


def test_one_that_was_looked_at_stays_longer() -> None:
    cache = StreamCache[Count](streams_max=2)
    cache.install(streams("a", "b"), number=1)
    cache.keep(streams("a").values())
    cache.install(streams("c"), number=2)
    cache.evict(indexed=2)
    assert kept(cache, "abc") == "ac"


def test_an_account_stays_until_all_its_commits_are_indexed() -> None:
    cache = StreamCache[Count](streams_max=0)
    cache.install(streams("a", "b"), number=1)
    cache.install(streams("a"), number=2)
    cache.evict(indexed=1)
    assert kept(cache, "ab") == "a"
    cache.evict(indexed=2)
    assert len(cache) == 0


def test_pinned_accounts_may_exceed_the_bound_and_never_for_long() -> None:
    cache = StreamCache[Count](streams_max=2)
    cache.install(streams(*"abcdef"), number=1)
    cache.evict(indexed=0)
    assert len(cache) == 6
    cache.evict(indexed=1)
    assert kept(cache, "abcdef") == "ef"


def test_a_load_never_replaces_what_is_here() -> None:
    cache = StreamCache[Count]()
    cache.install(streams("a", version=5), number=1)
    cache.keep(streams("a", version=4).values())
    stream = cache.get("a")
    assert stream is not None
    assert stream.version == 5
