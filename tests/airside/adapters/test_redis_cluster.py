"""The Redis view store on a cluster of three, also while a shard's slot moves."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest

from airside.adapters import redis_script
from airside.adapters.redis_view_store import RedisViewStore
from projectors.view_store import Checkpoint
from schemas.errors import Contradiction, Invalid, Unavailable
from stack.valkey import ValkeyCluster
from tests.contracts.view_store import ONE, START, TWO, G, ViewStoreContract, parked
from tests.kit.kafka import until
from tests.kit.moving_slot import MovingSlot, keys_per_server, redirections
from tests.kit.together import outcome
from tests.kit.view_traffic import Traffic

pytestmark = pytest.mark.engines

CHECKPOINT, ROWS = "airside:{downloads.3.0}:checkpoint", "airside:{downloads.3.0}:rows"
THREE = Checkpoint(seq=3, offset=30, at=1_700_000_001_000)


@pytest.fixture(scope="module")
def servers(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyCluster]:
    """One cluster for all tests that do not change it for good."""
    cluster = ValkeyCluster(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(servers: ValkeyCluster) -> ValkeyCluster:
    """An empty one; nobody has been redirected yet."""
    for server in servers.servers:
        with server.client() as client:
            client.flushall()
            client.config_resetstat()
    return servers


@pytest.fixture
def store(cluster: ValkeyCluster) -> Iterator[RedisViewStore]:
    with closing(RedisViewStore(cluster.url)) as store:
        yield store


@pytest.fixture
def moving(cluster: ValkeyCluster, store: RedisViewStore) -> Iterator[MovingSlot]:
    """The slot of shard 0, brought home again."""
    moving = MovingSlot(cluster, ROWS)
    yield moving
    moving.bring_home()


class TestRedisViewStoreOnACluster(ViewStoreContract):
    pass


def save_two_rows(store: RedisViewStore) -> None:
    store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1", "b": b"1"})


def save_thirty_shards(store: RedisViewStore) -> None:
    for shard in range(30):
        store.save(G, shard, expected=START, checkpoint=ONE, rows={"a": b"1"})


def test_shards_are_spread_over_the_servers(
    store: RedisViewStore, cluster: ValkeyCluster
) -> None:
    save_thirty_shards(store)
    counts = keys_per_server(cluster)
    assert sum(counts) == 2 * 30
    assert min(counts) > 0


def test_a_save_and_a_read_while_no_key_has_moved_yet(
    store: RedisViewStore, moving: MovingSlot
) -> None:
    save_two_rows(store)
    moving.begin()
    store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"2"})
    assert store.rows(G, 0, ["a", "b"]).rows == {"a": b"2", "b": b"1"}


def test_a_save_and_a_read_follow_keys_that_have_moved(
    store: RedisViewStore, moving: MovingSlot, cluster: ValkeyCluster
) -> None:
    save_two_rows(store)
    moving.begin()
    moving.take(CHECKPOINT, ROWS)
    store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"2"})
    found = store.rows(G, 0, ["a", "b"])
    assert (found.checkpoint, found.rows) == (TWO, {"a": b"2", "b": b"1"})
    assert redirections(cluster, "ASK") > 0
    assert redirections(cluster, "MOVED") == 0


def test_a_save_and_a_read_of_keys_in_two_places_are_refused_and_change_nothing(
    store: RedisViewStore, moving: MovingSlot, cluster: ValkeyCluster
) -> None:
    save_two_rows(store)
    moving.begin()
    moving.take(CHECKPOINT)
    with pytest.raises(Unavailable, match=r"nothing was changed: .*[Mm]ultiple keys"):
        store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"2"})
    with pytest.raises(Unavailable):
        store.rows(G, 0, ["a"])
    assert redirections(cluster, "TRYAGAIN") > 0
    moving.finish()
    found = store.rows(G, 0, ["a"])
    assert (found.checkpoint, found.rows) == (ONE, {"a": b"1"})


def test_a_save_and_a_read_wait_for_a_move_that_ends(
    store: RedisViewStore,
    moving: MovingSlot,
    cluster: ValkeyCluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_two_rows(store)
    moving.begin()
    moving.take(CHECKPOINT)

    def finish() -> None:
        until(lambda: redirections(cluster, "TRYAGAIN") > 0)
        moving.finish()

    monkeypatch.setattr(redis_script, "HOP_PAUSE_SECONDS", 0.5)  # time enough to move it
    with ThreadPoolExecutor(1) as threads:
        ending = threads.submit(finish)
        store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"2"})
        ending.result()
    assert store.rows(G, 0, ["a"]).checkpoint == TWO


def test_a_save_under_way_goes_where_its_slot_went(
    store: RedisViewStore, moving: MovingSlot, cluster: ValkeyCluster
) -> None:
    save_two_rows(store)
    moving.move()
    pending = store.begin_save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"2"})
    pending.wait()
    store.save(G, 0, expected=TWO, checkpoint=THREE, rows={"a": b"3"})
    assert store.rows(G, 0, ["a"]).rows == {"a": b"3"}
    assert redirections(cluster, "MOVED") == 1


def test_a_read_goes_where_its_slot_went(
    store: RedisViewStore, moving: MovingSlot, cluster: ValkeyCluster
) -> None:
    save_two_rows(store)
    moving.move()
    assert sorted(store.keys(G, 0)) == ["a", "b"]
    assert store.rows(G, 0, ["a"]).checkpoint == ONE
    assert redirections(cluster, "MOVED") == 1


def test_events_parked_for_the_first_time_wait_until_the_slot_has_moved(
    store: RedisViewStore, moving: MovingSlot
) -> None:
    save_two_rows(store)
    moving.begin()
    save = partial(
        store.save, G, 0, expected=ONE, checkpoint=TWO, rows={}, parked=[parked(2, "a")]
    )
    assert outcome(save) == "Unavailable"
    moving.finish()
    assert outcome(save) == "done"
    assert store.parked(G, 0) == [parked(2, "a")]


def test_many_rows_deleted_where_few_are_left_are_deleted_while_the_slot_moves(
    store: RedisViewStore, moving: MovingSlot
) -> None:
    save_two_rows(store)
    moving.begin()
    deleted = ["a", "b", *(f"never-{n}" for n in range(9_000))]
    store.save(G, 0, expected=ONE, checkpoint=TWO, rows=dict.fromkeys(deleted))
    moving.finish()
    found = store.rows(G, 0, [])
    assert (found.checkpoint, found.row_count) == (TWO, 0)


def test_a_server_that_forgot_the_scripts_is_told_again_at_the_next_owner(
    store: RedisViewStore, moving: MovingSlot
) -> None:
    save_two_rows(store)
    moving.begin()
    moving.take(CHECKPOINT, ROWS)
    with moving.target.client() as client:
        client.script_flush()
    store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"2"})
    assert store.rows(G, 0, ["a"]).rows == {"a": b"2"}


def test_a_worker_is_exactly_once_while_slots_move(
    store: RedisViewStore, cluster: ValkeyCluster
) -> None:
    traffic = Traffic(store, shards=2)
    with traffic.running(events_a_turn=20):
        traffic.wait_for(100)
        move_about(traffic, cluster)
    assert redirections(cluster, "ASK") > 0
    assert redirections(cluster, "MOVED") > 0
    assert traffic.finish() == traffic.meant()


def move_about(traffic: Traffic, cluster: ValkeyCluster) -> None:
    """Both shards' slots, from server to server and home again, and workers go on."""
    tags = [f"airside:{{tallies.1.{shard}}}" for shard in range(traffic.shards)]
    slots = [MovingSlot(cluster, tag) for tag in tags]
    for _ in cluster.servers:
        for slot, tag in zip(slots, tags, strict=True):
            slot.begin()
            traffic.wait_for(traffic.least() + 100)
            slot.take(f"{tag}:checkpoint", f"{tag}:rows")
            traffic.wait_for(traffic.least() + 100)
            slot.finish()
            traffic.wait_for(traffic.least() + 100)


def test_a_generation_is_dropped_on_every_server(
    store: RedisViewStore, cluster: ValkeyCluster
) -> None:
    save_thirty_shards(store)
    store.drop(G)
    assert keys_per_server(cluster) == [0, 0, 0]


def test_one_evicting_server_is_enough_to_be_refused(cluster: ValkeyCluster) -> None:
    with cluster.servers[2].client() as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            with pytest.raises(
                Contradiction, match=rf"{cluster.servers[2].address}: .* is allkeys-lru"
            ):
                RedisViewStore(cluster.url)
        finally:
            client.config_set("maxmemory", "0")
            client.config_set("maxmemory-policy", "noeviction")


def test_one_server_of_a_cluster_is_not_taken_for_all(cluster: ValkeyCluster) -> None:
    with pytest.raises(Contradiction, match=r"one server of a cluster. Write redis\+cluster"):
        RedisViewStore(cluster.servers[0].url)


def test_one_address_is_enough_to_find_the_others(cluster: ValkeyCluster) -> None:
    url = f"redis+cluster://127.0.0.1:1,{cluster.servers[1].address}"
    with closing(RedisViewStore(url)) as store:
        names = [fact.name for fact in store.facts()]
    assert sorted(names) == sorted(server.address for server in cluster.servers)


def test_a_cluster_that_is_not_there_is_unavailable_and_its_password_unsaid() -> None:
    with pytest.raises(Unavailable, match=r"127.0.0.1:1,127.0.0.1:2: .* up\?") as raised:
        RedisViewStore("redis+cluster://someone:secret@127.0.0.1:1,127.0.0.1:2")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["redis+cluster://", "redis+cluster://a:port", "redis+cluster://a:1,,b:2"]
)
def test_an_address_of_no_cluster_is_invalid(url: str) -> None:
    with pytest.raises(Invalid, match=r"redis\+cluster://host:6379,host2:6379"):
        RedisViewStore(url)
