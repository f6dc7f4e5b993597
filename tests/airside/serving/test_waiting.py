"""Waiting for a version, across promotions; nobody polls when nobody waits."""

import asyncio
from functools import partial

import msgspec
import pytest

from airside.serving import pulse
from airside.serving.reads import Reads
from projectors import downloads, titles
from projectors.downloads import Downloads
from projectors.view_store import Checkpoint
from queries import across
from queries.finding import Found, Need
from queries.reader import ANYTHING, AtLeast
from schemas.errors import Unavailable
from tests.kit.happenings import NOW
from tests.kit.in_loop import in_loop, until
from tests.kit.looks import MemoryLooks
from tests.kit.served import Served
from tests.kit.two_accounts import SHARD


def move_on(served: Served, version: int, number: int = 1) -> None:
    """The account's shard of downloads comes to this version."""
    row = {"a1": Downloads(version=version)}
    served.save(downloads.PROJECTION, number, SHARD, row, Checkpoint(version, 0, NOW + version))


@in_loop
async def test_whoever_waits_is_told_that_the_process_stops(looks: MemoryLooks) -> None:
    reads = Reads(looks, 4)
    late = AtLeast(99, SHARD, 30.0)
    waiting = asyncio.ensure_future(reads.row("downloads", "a1", "a1", late))
    await until(lambda: reads.pulse.waiting == 1)
    reads.close()
    with pytest.raises(Unavailable, match="is stopping"):
        await waiting


@in_loop
async def test_a_reader_waits_for_the_version_it_was_asked_for(
    served: Served, reads: Reads
) -> None:
    wanted = AtLeast(4, SHARD, 30.0)
    waiting = asyncio.ensure_future(reads.row("downloads", "a1", "a1", wanted))
    await until(lambda: reads.pulse.waiting == 1)
    move_on(served, 4)
    body, standing = await waiting
    assert msgspec.json.decode(body or b"") == {"version": 4}
    assert (standing.fresh, standing.version, reads.pulse.waiting) == (True, 4, 0)


@in_loop
async def test_an_answer_that_comes_too_early_says_what_it_lacks(reads: Reads) -> None:
    _, standing = await reads.row("downloads", "a1", "a1", AtLeast(9, None, 0.02))
    assert (standing.fresh, standing.behind) == (False, 7)


@in_loop
async def test_all_who_wait_are_asked_for_in_one_round(
    served: Served, looks: MemoryLooks, reads: Reads
) -> None:
    wanted = AtLeast(5, SHARD, 30.0)
    waiting = [reads.row("downloads", "a1", "a1", wanted) for _ in range(30)]
    found = asyncio.gather(*waiting)
    await until(lambda: reads.pulse.waiting == 30)
    looks.asked.clear()
    await until(lambda: len(looks.asked) > 2)
    assert {len(asked) for asked in looks.asked} == {1}
    move_on(served, 5)
    assert {standing.version for _, standing in await found} == {5}


@in_loop
async def test_nobody_is_asked_when_nobody_waits(looks: MemoryLooks, reads: Reads) -> None:
    await reads.row("downloads", "a1", "a1", AtLeast(9, None, 0.01))
    count = len(looks.asked)
    await asyncio.sleep(10 * pulse.POLL_SECONDS)
    assert len(looks.asked) - count <= 1, "one may have been under way"


@in_loop
async def test_those_who_wait_are_bounded(
    reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "WAITERS_MAX", 1)
    first = reads.row("downloads", "a1", "a1", AtLeast(9, None, 30.0))
    waiting = asyncio.ensure_future(first)
    await until(lambda: reads.pulse.waiting == 1)
    with pytest.raises(Unavailable, match="wait for a version already"):
        await reads.row("downloads", "a1", "a1", AtLeast(9, None, 30.0))
    waiting.cancel()
    await until(lambda: reads.pulse.waiting == 0)


@in_loop
async def test_a_store_that_goes_away_ends_the_waiting(
    looks: MemoryLooks, reads: Reads
) -> None:
    waiting = asyncio.ensure_future(reads.row("downloads", "a1", "a1", AtLeast(9, None, 60.0)))
    await until(lambda: reads.pulse.waiting == 1)
    looks.failure = lambda: Unavailable("away")
    with pytest.raises(Unavailable, match="away"):
        await waiting


@in_loop
async def test_a_promotion_is_followed_at_once(served: Served, reads: Reads) -> None:
    await reads.row("downloads", "a1", "a1")
    move_on(served, 7, number=2)
    served.serve("downloads", 2)
    assert (await reads.row("downloads", "a1", "a1"))[1].generation == "downloads.2"


@in_loop
async def test_a_promotion_while_waiting_is_followed(served: Served, reads: Reads) -> None:
    wanted = AtLeast(7, SHARD, 30.0)
    waiting = asyncio.ensure_future(reads.row("downloads", "a1", "a1", wanted))
    await until(lambda: reads.pulse.waiting == 1)
    move_on(served, 7, number=2)
    served.serve("downloads", 2)
    assert (await waiting)[1].generation == "downloads.2"


@in_loop
async def test_answers_do_not_go_back_when_another_generation_is_served(
    served: Served, reads: Reads
) -> None:
    await reads.row("downloads", "a1", "a1")
    move_on(served, 1, number=2)
    served.serve("downloads", 2)
    waiting = asyncio.ensure_future(reads.row("downloads", "a1", "a1"))
    await until(lambda: reads.pulse.waiting == 1)
    move_on(served, 2, number=2)
    standing = (await waiting)[1]
    assert (standing.generation, standing.version) == ("downloads.2", 2)


@in_loop
async def test_a_generation_dropped_since_the_last_look_is_not_taken_for_an_empty_one(
    served: Served, reads: Reads
) -> None:
    await reads.row("downloads", "a1", "a1")
    move_on(served, 7, number=2)
    served.store.drop(served.store.registry("downloads").generations[0])
    served.serve("downloads", 2)
    body, standing = await reads.row("downloads", "a1", "a1")
    assert (body is not None, standing.version) == (True, 7)


@in_loop
async def test_a_merged_answer_is_of_one_generation(served: Served, reads: Reads) -> None:
    await reads.ask(partial(across.title, title_id="t1"))
    row = {"t1": titles.Tally(issued=7)}
    served.save(titles.PROJECTION, 2, 3, row, Checkpoint(9, 0, NOW))
    looks_then_serves = [lambda: served.serve("titles", 2)]
    served.store.after_rows = [*looks_then_serves]
    reading = await reads.ask(
        lambda reader: reader.merged(titles.PROJECTION, ("t1",), ANYTHING)
    )
    assert (reading.rows["t1"].issued, reading.standing.generation) == (7, "titles.2")


@in_loop
async def test_without_a_served_generation_there_is_no_answer(
    served: Served, reads: Reads
) -> None:
    await reads.row("downloads", "a1", "a1")
    served.serve("downloads", None)
    with pytest.raises(Unavailable, match="serves no generation yet"):
        await reads.row("downloads", "a1", "a1")


@in_loop
async def test_one_look_is_all_it_takes_only_while_nothing_else_is_served(
    served: Served, reads: Reads
) -> None:
    await reads.row("downloads", "a1", "a1")
    need = Need("downloads", ("a1",), SHARD)
    found: list[Found | None] = []
    reads.at_once(need, found.append)
    await until(lambda: len(found) == 1)
    move_on(served, 7, number=2)
    served.serve("downloads", 2)
    reads.at_once(need, found.append)
    await until(lambda: len(found) == 2)
    assert [one and one.generation.name for one in found] == ["downloads.1", None]


@in_loop
async def test_one_look_is_not_enough_at_a_generation_that_is_behind(
    served: Served, reads: Reads
) -> None:
    await reads.row("downloads", "a1", "a1")
    move_on(served, 1, number=2)
    served.serve("downloads", 2)
    await reads.rows.registry("downloads")
    found: list[Found | None] = []
    reads.at_once(Need("downloads", ("a1",), SHARD), found.append)
    await until(lambda: len(found) == 1)
    assert found == [None]
