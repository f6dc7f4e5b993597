"""Many askers share few round trips, by the rules of one reader."""

import asyncio
from contextlib import closing
from functools import partial

import pytest

from airside.serving import coalescing
from airside.serving.reads import Reads
from projectors import downloads
from queries import across
from queries.devices import devices
from queries.downloads import downloads as ask_downloads
from queries.licenses import licenses
from queries.reader import AtLeast, Reader
from queries.timeline import timeline
from schemas.errors import Invalid, NotFound, Unavailable
from schemas.record import shard_of
from tests.kit.happenings import NOW
from tests.kit.in_loop import in_loop, until
from tests.kit.looks import MemoryLooks
from tests.kit.served import Served
from tests.kit.two_accounts import OTHER, SHARD


@in_loop
async def test_a_row_is_answered_as_it_is_stored(served: Served, reads: Reads) -> None:
    body, standing = await reads.row("downloads", "a1", "a1")
    generation = served.store.registry("downloads").generations[0]
    assert body == served.store.rows(generation, SHARD, ("a1",)).rows["a1"]
    assert (standing.version, standing.as_of, standing.fresh) == (2, NOW + 5, True)
    assert standing.generation == "downloads.1"


@in_loop
async def test_a_row_that_is_not_there_is_none(reads: Reads) -> None:
    assert (await reads.row("downloads", "a1", "nobody"))[0] is None


QUESTIONS = [
    partial(ask_downloads, account_id="a1", at=NOW),
    partial(licenses, account_id="a1", at=NOW),
    partial(devices, account_id=OTHER, at=NOW),
    partial(timeline, account_id="a1"),
    partial(across.title, title_id="t1"),
    partial(across.expiring, within_s=86_400, at=NOW),
    across.refusals,
]


@pytest.mark.parametrize("question", QUESTIONS)
@in_loop
async def test_an_answer_is_that_of_the_reader_of_the_command_line(
    served: Served, reads: Reads, question: partial[object]
) -> None:
    assert await reads.ask(question) == question(served.reader)


@in_loop
async def test_what_a_question_raises_its_asker_gets(reads: Reads) -> None:
    with pytest.raises(NotFound, match="nobody: unknown"):
        await reads.ask(lambda reader: devices(reader, "nobody", at=NOW))
    with pytest.raises(Invalid, match="lives in shard"):
        await reads.row("downloads", "a1", "a1", AtLeast(1, SHARD + 1))


@in_loop
async def test_a_question_for_every_key_is_refused(reads: Reads) -> None:
    with pytest.raises(Invalid, match="does not read every key"):
        await reads.ask(lambda reader: reader.keys(downloads.PROJECTION))


@in_loop
async def test_a_question_without_an_end_is_refused(reads: Reads) -> None:
    def endless(reader: Reader) -> None:
        for n in range(10_000):
            reader.of_account(downloads.PROJECTION, "a1", (f"{n}",))

    with pytest.raises(Invalid, match="more than"):
        await reads.ask(endless)


@in_loop
async def test_readers_of_one_moment_share_one_round(looks: MemoryLooks, reads: Reads) -> None:
    await reads.row("downloads", "a1", "a1")
    looks.asked.clear()
    names = ["a1", OTHER] * 20
    found = await asyncio.gather(*(reads.row("downloads", name, name) for name in names))
    assert [len(asked) for asked in looks.asked] == [2], "one for each shard"
    assert {asked.keys for asked in looks.asked[0]} == {("a1",), (OTHER,)}
    assert [body is not None for body, _ in found] == [True] * 40


@in_loop
async def test_what_is_asked_while_a_round_is_under_way_is_the_next_round(
    looks: MemoryLooks, reads: Reads
) -> None:
    await reads.row("downloads", "a1", "a1")
    looks.asked.clear()
    looks.is_open.clear()
    first = asyncio.ensure_future(reads.row("downloads", "a1", "a1"))
    await until(lambda: len(looks.asked) == 1)
    others = [asyncio.ensure_future(reads.row("downloads", "a1", f"{n}")) for n in range(30)]
    await until(lambda: reads.rows.waiting == 31)
    looks.is_open.set()
    await asyncio.gather(first, *others)
    assert [len(asked[0].keys) for asked in looks.asked] == [1, 30]


@in_loop
async def test_all_shards_of_a_merged_answer_are_one_round(
    looks: MemoryLooks, reads: Reads
) -> None:
    await reads.ask(partial(across.title, title_id="t1"))
    looks.asked.clear()
    await reads.ask(partial(across.title, title_id="t1"))
    assert len(looks.asked[0]) == 4


@in_loop
async def test_a_round_that_fails_fails_its_readers_and_no_others(
    looks: MemoryLooks, reads: Reads
) -> None:
    await reads.row("downloads", "a1", "a1")
    looks.failure = lambda: Unavailable("cut off")
    lost = await asyncio.gather(
        *(reads.row("downloads", "a1", "a1") for _ in range(5)), return_exceptions=True
    )
    assert [str(error) for error in lost] == ["cut off"] * 5
    looks.failure = None
    assert (await reads.row("downloads", "a1", "a1"))[0] is not None


@in_loop
async def test_a_server_that_is_silent_holds_up_its_own_readers_only(
    looks: MemoryLooks, reads: Reads
) -> None:
    await reads.row("downloads", "a1", "a1")
    looks.lanes, looks.silent = {SHARD: "one", shard_of(OTHER, 4): "another"}, SHARD
    looks.is_open.clear()
    count = len(looks.asked)
    stuck = asyncio.ensure_future(reads.row("downloads", "a1", "a1"))
    await until(lambda: len(looks.asked) > count)
    assert (await reads.row("downloads", OTHER, OTHER))[0] is not None
    assert not stuck.done()
    looks.is_open.set()
    assert (await stuck)[0] is not None


@in_loop
async def test_a_server_that_stays_silent_is_not_waited_for_without_an_end(
    looks: MemoryLooks,
) -> None:
    with closing(Reads(looks, 4, seconds_max=0.05)) as reads:
        looks.is_open.clear()
        with pytest.raises(Unavailable, match=r"did not answer within 0\.05 s"):
            await reads.row("downloads", "a1", "a1")
        with pytest.raises(Unavailable, match=r"did not answer within 0\.05 s"):
            await reads.row("downloads", "a1", "a1")
        looks.is_open.set()
        await until(lambda: reads.rows.waiting == 0)
        assert (await reads.row("downloads", "a1", "a1"))[0] is not None


@in_loop
async def test_reads_that_wait_are_bounded(
    looks: MemoryLooks, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reads.row("downloads", "a1", "a1")
    monkeypatch.setattr(coalescing, "READS_MAX", 3)
    looks.is_open.clear()
    three = [asyncio.ensure_future(reads.row("downloads", "a1", "a1")) for _ in range(3)]
    await until(lambda: reads.rows.waiting == 3)
    with pytest.raises(Unavailable, match="3 reads wait"):
        await reads.row("downloads", "a1", "a1")
    looks.is_open.set()
    await asyncio.gather(*three)
    assert reads.rows.waiting == 0


@in_loop
async def test_a_reader_that_goes_away_takes_nothing_from_the_others(
    looks: MemoryLooks, reads: Reads
) -> None:
    await reads.row("downloads", "a1", "a1")
    looks.is_open.clear()
    two = [asyncio.ensure_future(reads.row("downloads", "a1", "a1")) for _ in range(2)]
    await until(lambda: reads.rows.waiting == 2)
    two[0].cancel()
    looks.is_open.set()
    assert (await two[1])[0] is not None
    assert (two[0].cancelled(), reads.rows.waiting) == (True, 0)
