"""Coalesced reads of real servers: one, a pair with sentinels, a cluster; and their deaths."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from airside.adapters.redis_view_store import RedisViewStore
from airside.serving.reads import Reads
from projectors.generations import ensure_serving, serving
from projectors.view_store import Checkpoint, Generation
from queries.finding import RowsOf
from queries.reader import AtLeast
from schemas.errors import Unavailable
from schemas.record import shard_of
from stack.valkey import ValkeyCluster, ValkeyPair, ValkeyServer
from tests.kit.in_loop import in_loop, until
from tests.kit.moving_slot import MovingSlot, redirections
from tests.kit.sentinel import SERVICE, watched
from tests.kit.tcp_proxy import TcpProxy

pytestmark = pytest.mark.engines

SHARDS = 8
NAMES = [f"account-{n}" for n in range(40)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[ValkeyPair]:
    pair = ValkeyPair(tmp_path)
    pair.start()
    yield pair
    pair.stop()


@pytest.fixture(scope="module")
def cluster(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyCluster]:
    cluster = ValkeyCluster(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    yield cluster
    cluster.stop()


def filled(store: RedisViewStore) -> Generation:
    """A served generation with a row for each name, every shard at version 5."""
    registry = ensure_serving(store, "downloads", fingerprint="f", now_at=1, shards=SHARDS)
    generation = serving(registry)
    for shard in range(SHARDS):
        rows = {name: name.encode() for name in NAMES if shard_of(name, SHARDS) == shard}
        moved_on(store, generation, shard, seq=5, rows=rows)
    return generation


def moved_on(
    store: RedisViewStore,
    generation: Generation,
    shard: int,
    *,
    seq: int,
    rows: dict[str, bytes],
) -> None:
    store.save(
        generation,
        shard,
        expected=store.rows(generation, shard, ()).checkpoint,
        checkpoint=Checkpoint(seq, seq, 1_000 + seq),
        rows=rows,
    )


async def all_rows(reads: Reads) -> list[bytes | None]:
    found = await asyncio.gather(*(reads.row("downloads", name, name) for name in NAMES))
    return [body for body, _ in found]


async def errors_of(reads: Reads) -> set[type]:
    asked = (reads.row("downloads", name, name) for name in NAMES)
    found = await asyncio.gather(*asked, return_exceptions=True)
    return {type(one) for one in found}


ALL = [name.encode() for name in NAMES]


def look_like_one_by_one(store: RedisViewStore, generation: Generation) -> None:
    asked = [RowsOf(generation, shard, ("nobody", *NAMES)) for shard in range(SHARDS)]
    found = store.look(asked, ["downloads", "unknown"])
    alone = [store.rows(generation, shard, ("nobody", *NAMES)) for shard in range(SHARDS)]
    assert found.rows == alone
    names = ("downloads", "unknown")
    assert found.registries == {name: store.registry(name) for name in names}


def test_many_reads_of_one_server_find_what_each_would_find(server: ValkeyServer) -> None:
    with closing(RedisViewStore(server.url)) as store:
        look_like_one_by_one(store, filled(store))
        assert store.look([], []).rows == []


def test_many_reads_of_a_cluster_find_what_each_would_find(cluster: ValkeyCluster) -> None:
    with closing(RedisViewStore(cluster.url)) as store:
        generation = filled(store)
        look_like_one_by_one(store, generation)
        assert len({store.lane(generation, shard) for shard in range(SHARDS)}) > 1


@in_loop
async def test_rows_of_a_cluster_are_found_while_a_slot_moves_and_after(
    cluster: ValkeyCluster,
) -> None:
    with (
        closing(RedisViewStore(cluster.url)) as store,
        closing(Reads(store, SHARDS)) as reads,
    ):
        generation = filled(store)
        keys = [f"airside:{{{generation.key}.0}}:{part}" for part in ("checkpoint", "rows")]
        moving = MovingSlot(cluster, keys[0])
        assert await all_rows(reads) == ALL
        moving.begin()
        moving.take(*keys)
        assert await all_rows(reads) == ALL
        assert redirections(cluster, "ASK") > 0
        moving.finish()
        assert await all_rows(reads) == ALL
        moving.bring_home()
        assert await all_rows(reads) == ALL


@in_loop
async def test_the_new_master_answers_after_a_failover(
    pair: ValkeyPair, tmp_path: Path
) -> None:
    with (
        watched(pair, tmp_path) as sentinel,
        closing(RedisViewStore(f"redis+sentinel://{sentinel}/{SERVICE}")) as store,
        closing(Reads(store, SHARDS)) as reads,
    ):
        filled(store)
        assert await all_rows(reads) == ALL
        with pair.primary.client() as client:
            client.wait(1, 10_000)
        pair.primary.kill()
        await until_answered(reads)
        assert await all_rows(reads) == ALL


async def until_answered(reads: Reads) -> None:
    async with asyncio.timeout(60.0):
        while await errors_of(reads) != {tuple}:
            await asyncio.sleep(0.1)


@in_loop
async def test_a_connection_that_breaks_in_the_middle_is_not_noticed(
    server: ValkeyServer,
) -> None:
    with TcpProxy("127.0.0.1", server.port) as proxy:
        url = f"redis://{proxy.host}:{proxy.port}/0"
        with closing(RedisViewStore(url)) as store, closing(Reads(store, SHARDS)) as reads:
            filled(store)
            await reads.row("downloads", NAMES[0], NAMES[0])
            proxy.arm("after")
            assert await all_rows(reads) == ALL
            assert proxy.has_struck


@in_loop
async def test_a_server_that_is_gone_is_said_and_its_return_is_noticed(
    server: ValkeyServer,
) -> None:
    with TcpProxy("127.0.0.1", server.port) as proxy:
        url = f"redis://{proxy.host}:{proxy.port}/0"
        with closing(RedisViewStore(url)) as store, closing(Reads(store, SHARDS)) as reads:
            filled(store)
            assert await all_rows(reads) == ALL
            proxy.refuse()
            assert await errors_of(reads) == {Unavailable}
            proxy.accept()
            assert await all_rows(reads) == ALL


@in_loop
async def test_a_server_that_stands_still_is_said_in_time_and_goes_on(
    server: ValkeyServer,
) -> None:
    with (
        closing(RedisViewStore(server.url, timeout_seconds=0.3)) as store,
        closing(Reads(store, SHARDS, seconds_max=0.5)) as reads,
    ):
        filled(store)
        assert await all_rows(reads) == ALL
        server.pause()
        async with asyncio.timeout(30.0):
            assert await errors_of(reads) == {Unavailable}
        server.go_on()
        await until_answered(reads)
        assert await all_rows(reads) == ALL


@in_loop
async def test_who_waits_is_woken_by_the_save(server: ValkeyServer) -> None:
    with (
        closing(RedisViewStore(server.url)) as store,
        closing(Reads(store, SHARDS)) as reads,
    ):
        generation = filled(store)
        shard = shard_of(NAMES[0], SHARDS)
        wanted = AtLeast(6, shard, 60.0)
        waiting = asyncio.ensure_future(reads.row("downloads", NAMES[0], NAMES[0], wanted))
        await until(lambda: reads.pulse.waiting == 1)
        moved_on(store, generation, shard, seq=6, rows={NAMES[0]: b"new"})
        body, standing = await waiting
        assert (body, standing.version, standing.fresh) == (b"new", 6, True)
