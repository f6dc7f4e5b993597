"""Event streams: the state first, then each change once, whatever happens in between."""

import asyncio
from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from airside.serving import live as living
from airside.serving.live import BEAT, END, Live, Stream
from airside.serving.reads import Reads
from projectors import timeline
from projectors.all import PROJECTIONS
from projectors.view_store import Checkpoint
from schemas import events
from schemas.envelope import Event
from schemas.errors import NotFound, Unavailable
from schemas.record import shard_of
from tests.kit.fold import rows_of
from tests.kit.happenings import NOW, happened, history, issued
from tests.kit.in_loop import in_loop, until
from tests.kit.looks import MemoryLooks
from tests.kit.served import Served

SHARD = shard_of("a1", 4)
OPENED = happened(events.AccountOpened)


class Account:
    """One account whose events are folded as they happen, and what serves it."""

    def __init__(self) -> None:
        self.served = Served()
        self.looks = MemoryLooks(self.served.store)
        self.happenings: list[Event] = []

    def happens(self, *more: Event) -> None:
        """These follow."""
        before = len(self.happenings)
        self.happenings += more
        self.served.happened(history(*self.happenings)[before:])

    def rebuilt(self, count: int, number: int) -> None:
        """Another generation of the timeline holds the first events, and is served."""
        rows = rows_of(timeline.PROJECTION, history(*self.happenings)[:count])
        there = Checkpoint(count, 0, NOW)
        self.served.save(timeline.PROJECTION, number, SHARD, rows, there)
        self.served.serve("timeline", number)

    def live(self, reads: Reads, **options: float) -> Live:
        """A process that serves it."""
        return Live(lambda: reads, lambda: NOW, beat_seconds=options.get("beat_seconds", 30.0))


@pytest.fixture
def account() -> Account:
    account = Account()
    account.happens(OPENED, issued(1), issued(2))
    return account


@pytest.fixture
def reads(account: Account) -> Iterator[Reads]:
    with closing(Reads(account.looks, 4)) as reads:
        yield reads
        account.looks.is_open.set()


@pytest.fixture
def live(account: Account, reads: Reads) -> Live:
    return account.live(reads)


def told(piece: bytes) -> list[tuple[str, int]]:
    """Name and id of each event of a piece."""
    some = [block.split(b"\n") for block in piece.split(b"\n\n") if block.startswith(b"id: ")]
    return [(name[7:].decode(), int(number[4:])) for number, name, *_ in some]


async def collected(stream: Stream, count: int) -> list[tuple[str, int]]:
    """The next events, at least so many."""
    found: list[tuple[str, int]] = []
    async with asyncio.timeout(30.0):
        while len(found) < count:
            found += told(await anext(stream))
    return found


def changes(first: int, last: int) -> list[tuple[str, int]]:
    return [("change", version) for version in range(first, last + 1)]


@in_loop
async def test_the_state_comes_first_and_then_each_change(account: Account, live: Live) -> None:
    stream = await live.open("a1", None)
    assert await collected(stream, 1) == [("state", 3)]
    account.happens(issued(3), issued(4))
    assert await collected(stream, 2) == changes(4, 5)
    account.happens(issued(5))
    assert await collected(stream, 1) == changes(6, 6)


@in_loop
async def test_the_state_holds_downloads_licenses_and_devices(live: Live) -> None:
    first = await anext(await live.open("a1", None))
    data = next(line for line in first.split(b"\n") if line.startswith(b"data: "))
    state = msgspec.json.decode(data[6:])
    assert (state["version"], state["downloads"]["issued"]) == (3, 2)
    assert (len(state["licenses"]["licenses"]), state["devices"]["version"]) == (2, 3)


@in_loop
async def test_the_parts_of_a_state_hold_all_up_to_its_version(
    account: Account, live: Live
) -> None:
    late = issued(3)
    account.happens(late)
    rows = rows_of(PROJECTIONS[0], history(*account.happenings)[:3])
    account.served.save(PROJECTIONS[0], 2, SHARD, rows, Checkpoint(3, 0, NOW))
    account.served.serve("downloads", 2)
    opening = asyncio.ensure_future(live.open("a1", None))
    await until(lambda: live._reads().pulse.waiting == 1)
    assert not opening.done()
    rows = rows_of(PROJECTIONS[0], history(*account.happenings))
    account.served.save(PROJECTIONS[0], 2, SHARD, rows, Checkpoint(4, 0, NOW))
    first = await anext(await opening)
    assert told(first) == [("state", 4)]
    assert b'"issued":3' in first


@in_loop
async def test_a_change_says_what_happened(account: Account, live: Live) -> None:
    stream = await live.open("a1", 2)
    await anext(stream)
    piece = await anext(stream)
    assert piece.startswith(b"id: 3\nevent: change\ndata: {")
    assert b'"type":"LicenseIssued"' in piece


@in_loop
async def test_a_client_resumes_behind_what_it_has(account: Account, live: Live) -> None:
    stream = await live.open("a1", 1)
    account.happens(issued(3))
    assert await collected(stream, 3) == changes(2, 4)


@in_loop
async def test_nothing_is_lost_or_doubled_across_a_long_absence(
    account: Account, live: Live
) -> None:
    account.happens(*(issued(n) for n in range(3, 3 + 4 * living.BATCH_MAX)))
    stream = await live.open("a1", 2)
    last = len(account.happenings)
    assert await collected(stream, last - 2) == changes(3, last)


@in_loop
async def test_another_process_goes_on_where_the_first_one_ended(
    account: Account, live: Live
) -> None:
    first = await live.open("a1", None)
    assert await collected(first, 1) == [("state", 3)]
    live.stop()
    account.happens(issued(3), issued(4))
    with closing(Reads(account.looks, 4)) as reads:
        second = await account.live(reads).open("a1", 3)
        assert await collected(second, 2) == changes(4, 5)


@in_loop
async def test_a_generation_that_is_served_in_between_is_followed_without_a_gap(
    account: Account, live: Live
) -> None:
    stream = await live.open("a1", None)
    await collected(stream, 1)
    account.happens(issued(3), issued(4))
    assert await collected(stream, 2) == changes(4, 5)
    account.rebuilt(2, number=2)  # it lacks what was told already
    account.happens(issued(5))  # nobody folds this into what is served yet
    following = asyncio.ensure_future(collected(stream, 1))
    await asyncio.sleep(0.1)
    assert not following.done()
    account.rebuilt(6, number=3)
    assert await following == changes(6, 6)


@in_loop
async def test_a_client_from_the_future_waits_for_it(account: Account, live: Live) -> None:
    stream = await live.open("a1", 4)
    following = asyncio.ensure_future(collected(stream, 1))
    account.happens(issued(3))
    await asyncio.sleep(0.1)
    assert not following.done()
    account.happens(issued(4))
    assert await following == changes(5, 5)


@in_loop
async def test_what_happens_to_others_is_not_told(account: Account, live: Live) -> None:
    stream = await live.open("a1", None)
    await collected(stream, 1)
    other = next(f"b{n}" for n in range(99) if shard_of(f"b{n}", 4) == SHARD)
    account.served.happened([happened(events.AccountOpened, account_id=other, version=1)])
    account.happens(issued(3))
    assert await collected(stream, 1) == changes(4, 4)


@in_loop
async def test_an_account_that_is_not_there_has_no_stream(live: Live) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await live.open("nobody", None)
    assert live.streams == 0


@in_loop
async def test_an_erased_account_ends_its_stream(account: Account, live: Live) -> None:
    stream = await live.open("a1", None)
    await collected(stream, 1)
    account.happens(happened(events.AccountErased))
    assert await anext(stream) == END
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert live.streams == 0


@in_loop
async def test_a_quiet_stream_shows_signs_of_life(account: Account, reads: Reads) -> None:
    stream = await account.live(reads, beat_seconds=0.05).open("a1", 3)
    await anext(stream)
    assert await anext(stream) == BEAT


@in_loop
async def test_a_store_that_is_away_ends_no_stream(
    account: Account, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airside.serving.heads.PAUSE_SECONDS", 0.01)
    stream = await live.open("a1", None)
    await collected(stream, 1)
    account.looks.failure = lambda: Unavailable("away")
    following = asyncio.ensure_future(collected(stream, 1))
    count = len(account.looks.asked)
    await until(lambda: len(account.looks.asked) > count + 2)
    account.happens(issued(3))
    account.looks.failure = None
    assert await following == changes(4, 4)


@in_loop
async def test_streams_are_bounded(account: Account, reads: Reads) -> None:
    live = Live(lambda: reads, lambda: NOW, streams_max=1)
    stream = await live.open("a1", None)
    with pytest.raises(Unavailable, match="1 event streams open"):
        await live.open("a1", None)
    stream.close()
    assert await live.open("a1", None)


@in_loop
async def test_one_account_cannot_take_all_streams(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(living, "STREAMS_OF_ACCOUNT_MAX", 1)
    await live.open("a1", None)
    with pytest.raises(Unavailable, match="of this account"):
        await live.open("a1", None)


@in_loop
async def test_a_process_that_stops_ends_its_streams(live: Live) -> None:
    stream = await live.open("a1", 3)
    await anext(stream)
    last = asyncio.ensure_future(anext(stream, b"the end"))
    await until(lambda: live._heads.watching == 1)
    live.stop()
    assert await last == BEAT
    assert await anext(stream, b"the end") == b"the end"
    with pytest.raises(Unavailable, match="takes no more"):
        await live.open("a1", None)
