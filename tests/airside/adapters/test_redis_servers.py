"""Addresses of the view store: TLS, users, sentinels, and a master that is another one now."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from airside.adapters.redis_view_store import RedisViewStore
from projectors.view_store import Registry
from schemas.errors import Contradiction, Invalid, Unavailable
from stack.valkey import ValkeyPair, ValkeyServer
from tests.contracts.view_store import ONE, START, TWO, G
from tests.kit.switch import Switch, certificate

pytestmark = pytest.mark.engines


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyServer]:
    """One on TCP, all of the test's own."""
    server = ValkeyServer(tmp_path, options={"appendonly": "no"})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[ValkeyPair]:
    pair = ValkeyPair(tmp_path)
    pair.start()
    yield pair
    pair.stop()


def behind(switch: Switch) -> RedisViewStore:
    return RedisViewStore(f"redis://127.0.0.1:{switch.port}/0")


def test_a_server_behind_tls_is_reached_and_its_certificate_checked(
    server: ValkeyServer, tmp_path: Path
) -> None:
    file, tls = certificate(tmp_path)
    with Switch(server.port, tls=tls) as switch:
        url = f"rediss://127.0.0.1:{switch.port}/0"
        with closing(RedisViewStore(f"{url}?ssl_ca_certs={file}")) as store:
            store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1" * 1_000_000})
            assert len(store.rows(G, 0, ["a"]).rows["a"] or b"") == 1_000_000
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            RedisViewStore(url)


def test_a_server_that_wants_a_password_gets_it(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path, options={"appendonly": "no"})
    server.start()
    with server.client() as client:
        client.execute_command("ACL SETUSER me on >secret ~* &* +@all")
        client.execute_command("ACL SETUSER default on >other ~* &* +@all")
    with closing(RedisViewStore(f"redis://me:secret@{server.address}/0")) as store:
        assert store.registry("downloads") == Registry()
    with pytest.raises(Unavailable, match="Check user and password") as raised:
        RedisViewStore(f"redis://me:hushhush@{server.address}/0")
    server.stop()
    assert "hushhush" not in str(raised.value)


def test_a_master_that_became_a_replica_is_left_for_the_new_one(pair: ValkeyPair) -> None:
    with Switch(pair.primary.port) as switch, closing(behind(switch)) as store:
        store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
        wait_for_key(pair.replica)
        swap_roles(pair)
        switch.lead_next_to(pair.replica.port)
        with pytest.raises(Unavailable, match=r"nothing was changed: .*read only replica"):
            store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"2"})
        store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": b"2"})
        assert store.rows(G, 0, ["a"]).rows == {"a": b"2"}


def test_a_replica_that_evicts_is_refused_when_it_becomes_the_master(pair: ValkeyPair) -> None:
    with pair.replica.client() as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
    with Switch(pair.primary.port) as switch, closing(behind(switch)) as store:
        pair.promote()
        switch.lead_to(pair.replica.port)
        with pytest.raises(Contradiction, match="is allkeys-lru"):
            store.rows(G, 0, ["a"])
        with pytest.raises(Contradiction, match="is allkeys-lru"):
            store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})


def test_a_scan_does_not_go_on_at_another_server(server: ValkeyServer) -> None:
    with Switch(server.port) as switch, closing(behind(switch)) as store:
        rows = {f"account-{n}": b"1" for n in range(5_000)}
        store.save(G, 0, expected=START, checkpoint=ONE, rows=rows)
        keys = store.keys(G, 0)
        next(keys)
        switch.lead_to(server.port)
        with pytest.raises(Unavailable, match=str(switch.port)):
            list(keys)
        assert len(list(store.keys(G, 0))) == 5_000


def test_a_server_says_what_it_is(server: ValkeyServer) -> None:
    with server.client() as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("save", "60 1")
    with closing(RedisViewStore(server.url)) as store:
        (facts,) = store.facts()
    assert (facts.name, facts.role, facts.replicas) == (server.address, "master", 0)
    assert (facts.memory_bytes_max, facts.eviction_policy) == (100 * 1024**2, "noeviction")
    assert (facts.is_append_only, facts.save) == (False, "60 1")
    assert (facts.is_persistent, facts.evicts) == (True, False)


@pytest.mark.parametrize("url", ["redis+sentinel://h:1", "redis+sentinel://h:1/a/b"])
def test_sentinels_without_a_service_are_invalid(url: str) -> None:
    with pytest.raises(Invalid, match=r"it names no service, .*redis\+sentinel://host:26379"):
        RedisViewStore(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h:1/0?replicaton=3",
        "unix:///nowhere?replicaton=3",
        "rediss+cluster://h:1,h:2?ssl_ca_certs=ca.pem&replicaton=3",
        "redis+sentinel://h:1/views?sentinel_username=me&max_connections=2&replicaton=3",
    ],
)
def test_an_unknown_option_is_named_before_anything_is_asked(url: str) -> None:
    with pytest.raises(
        Invalid, match=r"redis-py knows no option replicaton\. Use redis://host"
    ):
        RedisViewStore(url)


def test_a_database_that_the_server_lacks_is_what_is_said(server: ValkeyServer) -> None:
    with pytest.raises(
        Unavailable, match=r"out of range\. Name a database that the server has"
    ):
        RedisViewStore(f"redis://{server.address}/999")


def test_sentinels_that_are_not_there_are_unavailable_and_their_password_unsaid() -> None:
    with pytest.raises(Unavailable, match=r"127.0.0.1:1/views: .*up\?") as raised:
        RedisViewStore("redis+sentinel://me:secret@127.0.0.1:1/views?sentinel_password=hush")
    assert "secret" not in str(raised.value)
    assert "hush" not in str(raised.value)


def wait_for_key(server: ValkeyServer) -> None:
    with server.client() as client:
        server.process.wait_until(lambda: client.dbsize() > 0, seconds_max=30.0)


def swap_roles(pair: ValkeyPair) -> None:
    """The replica takes over, and the old master follows it."""
    pair.promote()
    with pair.primary.client() as client:
        client.replicaof("127.0.0.1", str(pair.replica.port))
