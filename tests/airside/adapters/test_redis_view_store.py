"""The Redis view store keeps the contract on a real server; what can go wrong there."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import redis
from msgspec import structs

from airside.adapters.embedded_valkey import EmbeddedValkey
from airside.adapters.redis_servers import connect
from airside.adapters.redis_view_store import RedisViewStore
from projectors.view_store import Checkpoint, Registry
from schemas.errors import Contradiction, Fenced, Invalid, OutcomeUnknown, Unavailable
from tests.contracts.digests import DigestContract
from tests.contracts.view_store import ONE, START, TWO, G, ViewStoreContract, parked
from tests.kit.silent_server import silent_server

pytestmark = pytest.mark.engines


@pytest.fixture
def store(views_url: str) -> Iterator[RedisViewStore]:
    store = RedisViewStore(views_url)
    yield store
    store.close()


@pytest.fixture
def client(views_url: str) -> Iterator[redis.Redis]:
    """What a person at `redis-cli` sees; what was configured is undone."""
    with connect(views_url, timeout_seconds=5.0) as client:
        yield client
        client.config_set("maxmemory", "0")
        client.config_set("maxmemory-policy", "noeviction")
        client.connection_pool.disconnect()


class TestRedisViewStore(ViewStoreContract, DigestContract):
    pass


def test_a_row_can_be_read_by_any_client(store: RedisViewStore, client: redis.Redis) -> None:
    rows = {"a1": b'{"used":2}'}
    store.save(G, 5, expected=START, checkpoint=ONE, rows=rows, parked=[parked(1, "b")])
    tag = "airside:{downloads.3.5}"
    assert client.hget(f"{tag}:rows", "a1") == b'{"used":2}'
    assert client.hmget(f"{tag}:checkpoint", "seq", "offset") == [b"1", b"10"]
    assert set(client.scan_iter()) == {
        f"{tag}:{part}".encode() for part in ("rows", "checkpoint", "parked")
    }


def test_a_digest_is_32_hex_digits(store: RedisViewStore, client: redis.Redis) -> None:
    store.save(G, 5, expected=START, checkpoint=structs.replace(ONE, digest=10), rows={})
    assert client.hget("airside:{downloads.3.5}:checkpoint", "digest") == b"0" * 31 + b"a"


def test_a_checkpoint_of_a_version_that_kept_no_digest_says_that_it_is_not_known(
    store: RedisViewStore, client: redis.Redis
) -> None:
    store.save(G, 5, expected=START, checkpoint=ONE, rows={})
    client.hdel("airside:{downloads.3.5}:checkpoint", "digest")
    assert store.rows(G, 5, []).checkpoint == structs.replace(ONE, digest=None)


def test_the_registry_can_be_read_by_any_client(
    store: RedisViewStore, client: redis.Redis
) -> None:
    store.change_registry("downloads", 0, Registry(serving=3))
    found = json.loads(client.get("airside:registry:downloads") or b"")
    assert (found["revision"], found["serving"], found["generations"]) == (1, 3, [])


def test_a_server_that_forgot_the_scripts_is_told_again(
    store: RedisViewStore, client: redis.Redis
) -> None:
    store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
    client.script_flush()
    store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"2"})
    store.change_registry("downloads", 0, Registry(serving=3))
    assert store.rows(G, 0, ["a"]).rows == {"a": b"2"}


def test_a_save_may_be_under_way_while_others_are_begun(store: RedisViewStore) -> None:
    begin = partial(store.begin_save, G, expected=START, checkpoint=ONE, rows={"a": b"1"})
    pending = [begin(0), begin(1), begin(0)]
    pending[1].wait()
    pending[0].wait()
    with pytest.raises(Fenced, match=r"downloads.3, shard 0: .* found seq 1, offset 10"):
        pending[2].wait()
    assert [store.rows(G, shard, []).checkpoint for shard in (0, 1)] == [ONE, ONE]


def test_a_server_that_would_evict_rows_is_refused(client: redis.Redis, views_url: str) -> None:
    client.config_set("maxmemory", "100mb")
    client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(
        Contradiction, match=r"is allkeys-lru, .*: CONFIG SET maxmemory-policy noeviction"
    ):
        RedisViewStore(views_url)


def test_a_bounded_server_that_does_not_evict_is_accepted(
    client: redis.Redis, views_url: str
) -> None:
    client.config_set("maxmemory", "100mb")
    store = RedisViewStore(views_url)
    assert store.registry("downloads") == Registry()
    store.close()


def test_a_save_into_a_full_server_changes_nothing(
    store: RedisViewStore, client: redis.Redis
) -> None:
    client.config_set("maxmemory", "1")
    rows = {"a": b"1"}
    with pytest.raises(
        Unavailable, match=r"refused to write, and nothing was changed: .*memory"
    ):
        store.save(G, 0, expected=START, checkpoint=ONE, rows=rows, parked=[parked(1, "a")])
    found = store.rows(G, 0, ["a"])
    assert (found.checkpoint, found.row_count, store.parked(G, 0)) == (START, 0, [])


def test_a_write_without_an_answer_has_an_unknown_outcome(
    client: redis.Redis, views_url: str
) -> None:
    store = RedisViewStore(views_url, timeout_seconds=0.1)
    client.client_pause(60_000, all=False)  # no write is answered
    with pytest.raises(OutcomeUnknown, match="What was sent may have been done: load again"):
        store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
    with pytest.raises(OutcomeUnknown, match="Timeout"):
        store.change_registry("downloads", 0, Registry())
    client.client_unpause()
    found = store.rows(G, 0, ["a"])
    store.close()
    assert (found.checkpoint, found.rows["a"]) in {(START, None), (ONE, b"1")}


def test_a_server_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    with (
        silent_server(tmp_path / "s") as url,
        pytest.raises(Unavailable, match=r"/s: Timeout reading"),
    ):
        RedisViewStore(url, timeout_seconds=0.02)


def test_a_server_that_is_not_there_is_unavailable_and_its_password_unsaid() -> None:
    with pytest.raises(Unavailable, match=r"127.0.0.1:1: .* Is the server up?") as raised:
        RedisViewStore("redis://someone:secret@127.0.0.1:1/0", timeout_seconds=0.5)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["", "valkey", "http://localhost", "redis://localhost:port"])
def test_an_address_that_is_none_is_invalid(url: str) -> None:
    with pytest.raises(Invalid, match=r"Use redis://host:6379/0, rediss://… or unix:///path"):
        RedisViewStore(url)


def test_a_save_after_a_restart_of_the_server_finds_a_new_connection(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server:
        store = RedisViewStore(server.url)
        store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
    with EmbeddedValkey(tmp_path):
        store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"2"})
        found = store.rows(G, 0, ["a"])
        store.close()
    assert (found.checkpoint, found.rows) == (Checkpoint(2, 20, TWO.at), {"a": b"2"})


def test_what_belongs_to_a_shard_is_dropped_in_one_call(
    store: RedisViewStore, client: redis.Redis
) -> None:
    rows = {"a1": b"{}"}
    store.save(G, 5, expected=START, checkpoint=ONE, rows=rows, parked=[parked(1, "b")])
    client.config_resetstat()
    store.drop(G)
    assert client.info("commandstats")["cmdstat_unlink"]["calls"] == 1
    assert list(client.scan_iter("airside:{downloads.3.*")) == []


NAMESAKE = structs.replace(G, created_at=G.created_at + 1)


def test_what_an_older_generation_of_the_same_name_left_does_not_count(
    store: RedisViewStore,
) -> None:
    rows = {"a": b"1", "b": b"1"}
    store.save(G, 0, expected=START, checkpoint=ONE, rows=rows, parked=[parked(1, "c")])
    found = store.rows(NAMESAKE, 0, ["a"])
    assert (found.checkpoint, found.rows, found.row_count) == (START, {"a": None}, 0)
    assert store.parked(NAMESAKE, 0) == []


def test_the_first_save_of_a_generation_clears_away_what_another_left_under_its_name(
    store: RedisViewStore,
) -> None:
    rows = {"a": b"1", "b": b"1"}
    store.save(G, 0, expected=START, checkpoint=TWO, rows=rows, parked=[parked(1, "c")])
    store.save(NAMESAKE, 0, expected=START, checkpoint=ONE, rows={"a": b"2"})
    found = store.rows(NAMESAKE, 0, ["a", "b"])
    assert (found.checkpoint, found.rows) == (ONE, {"a": b"2", "b": None})
    assert store.parked(NAMESAKE, 0) == []


def test_a_worker_of_an_older_generation_is_fenced_off_by_one_of_the_same_name(
    store: RedisViewStore,
) -> None:
    store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
    store.save(NAMESAKE, 0, expected=START, checkpoint=ONE, rows={"a": b"2"})
    with pytest.raises(Fenced, match="found seq 0"):
        store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"3"})
    assert store.rows(NAMESAKE, 0, ["a"]).rows == {"a": b"2"}


def test_rows_that_were_saved_before_generations_signed_them_still_count(
    store: RedisViewStore, client: redis.Redis
) -> None:
    store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
    client.hdel("airside:{downloads.3.0}:checkpoint", "created_at")
    store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"b": b"2"})
    assert store.rows(G, 0, ["a", "b"]).rows == {"a": b"1", "b": b"2"}
