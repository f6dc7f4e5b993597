"""The view store falls back, forgets, or dies in the middle of a save: every event counts once.

Real servers and a real worker. `kill` is `kill -9`.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from airside.adapters.redis_view_store import RedisViewStore
from stack.ports import free_ports
from stack.valkey import ValkeyCluster, ValkeyPair, ValkeyServer
from tests.kit.engines import running as running_server
from tests.kit.sentinel import SERVICE, watched
from tests.kit.switch import Switch
from tests.kit.view_traffic import SECONDS_MAX, Traffic

pytestmark = pytest.mark.engines

FORGETFUL = {"appendonly": "no"}
UNANSWERED = "What was sent may have been done"  # a save, when its server died
KILLS_MAX = 40  # each hits a save more often than not, on a loaded machine too rarely
PAUSE_SECONDS = 0.1
SHARDS = 6  # on all three servers of a cluster


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[ValkeyPair]:
    pair = ValkeyPair(tmp_path)
    pair.start()
    yield pair
    pair.stop()


@contextmanager
def through(switch: Switch) -> Iterator[Traffic]:
    with closing(RedisViewStore(f"redis://127.0.0.1:{switch.port}/0")) as store:
        yield Traffic(store)


@contextmanager
def running(server: ValkeyServer | ValkeyCluster, shards: int) -> Iterator[Traffic]:
    server.start()
    try:
        with closing(RedisViewStore(server.url)) as store:
            yield Traffic(store, shards=shards)
    finally:
        server.stop()


@pytest.fixture
def worker_log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What workers say when they have to load again."""
    caplog.set_level(logging.INFO, logger="projectors")
    return caplog


def saved(traffic: Traffic, server: ValkeyServer) -> int:
    with closing(RedisViewStore(server.url)) as store:
        return traffic.checkpoint(store).seq


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(PAUSE_SECONDS)


def fall_back(traffic: Traffic, pair: ValkeyPair, switch: Switch) -> tuple[int, int]:
    """To a replica that lacks the last saves: how far each of the two had come."""
    traffic.publish(300)
    traffic.wait_for(300)
    pair.promote()
    traffic.publish(300)
    traffic.wait_for(600)
    before, after = saved(traffic, pair.primary), saved(traffic, pair.replica)
    pair.primary.kill()
    switch.lead_to(pair.replica.port)
    return before, after


def test_a_worker_follows_a_failover_to_an_older_replica(pair: ValkeyPair) -> None:
    with Switch(pair.primary.port) as switch, through(switch) as traffic:
        with traffic.running():
            before, after = fall_back(traffic, pair, switch)
            traffic.publish(300)
        assert after < before
        assert traffic.finish() == traffic.meant()


def test_a_worker_without_new_events_notices_a_failover_to_an_older_replica(
    pair: ValkeyPair,
) -> None:
    with Switch(pair.primary.port) as switch, through(switch) as traffic:
        with traffic.running():
            before, after = fall_back(traffic, pair, switch)
        assert after < before
        assert traffic.finish() == traffic.meant()


def test_a_save_that_no_error_kept_from_an_older_replica_is_refused(pair: ValkeyPair) -> None:
    with Switch(pair.primary.port) as switch, through(switch) as traffic:
        traffic.publish(300)
        traffic.finish()
        wait_until(lambda: saved(traffic, pair.replica) == 300)
        pair.promote()
        traffic.publish(300)
        traffic.finish()  # no save is under way
        pair.primary.kill()
        switch.lead_to(pair.replica.port)
        traffic.publish(1)
        assert traffic.finish() == traffic.meant()


def test_a_worker_goes_where_the_sentinels_lead(pair: ValkeyPair, tmp_path: Path) -> None:
    with (
        watched(pair, tmp_path) as address,
        closing(RedisViewStore(f"redis+sentinel://{address}/{SERVICE}?db=0")) as store,
    ):
        traffic = Traffic(store)
        with traffic.running(events_a_turn=5):
            traffic.wait_for(100)
            pair.primary.kill()
            traffic.wait_for(traffic.published() + 100)
        assert [facts.name for facts in store.facts()] == [pair.replica.address]
        assert traffic.finish() == traffic.meant()


def kill_in_the_middle(
    traffic: Traffic, server: ValkeyServer, log: pytest.LogCaptureFixture
) -> None:
    """Kill a server and start it again, until that left a save without an answer."""
    for _ in range(KILLS_MAX):
        traffic.wait_for(traffic.least() + 100)
        server.pause()
        time.sleep(PAUSE_SECONDS)  # a worker goes on until it waits for an answer
        server.kill()
        server.start()
        traffic.wait_for(traffic.least() + 100)
        if UNANSWERED in log.text:
            log.clear()
            return
    raise AssertionError(f"{KILLS_MAX} kills, and each save was answered")


def test_a_server_that_forgot_everything_is_filled_again(
    tmp_path: Path, worker_log: pytest.LogCaptureFixture
) -> None:
    server = ValkeyServer(tmp_path, options=FORGETFUL)
    with running(server, shards=2) as traffic:
        with traffic.running(events_a_turn=50):
            kill_in_the_middle(traffic, server, worker_log)
            kill_in_the_middle(traffic, server, worker_log)
        assert traffic.finish() == traffic.meant()


def test_a_server_killed_in_the_middle_of_saves_goes_on_from_its_file(
    tmp_path: Path, worker_log: pytest.LogCaptureFixture
) -> None:
    server = ValkeyServer(tmp_path)
    with running(server, shards=2) as traffic:
        with traffic.running(events_a_turn=50):
            kill_in_the_middle(traffic, server, worker_log)
            kill_in_the_middle(traffic, server, worker_log)
            kill_in_the_middle(traffic, server, worker_log)
        assert traffic.finish() == traffic.meant()


def test_a_save_that_was_done_but_not_answered_counts_once(
    tmp_path: Path, worker_log: pytest.LogCaptureFixture
) -> None:
    server = ValkeyServer(tmp_path)
    server.start()
    with Switch(server.port) as switch, through(switch) as traffic:
        with traffic.running():
            traffic.publish(100)
            traffic.wait_for(100)
            switch.swallows_replies_to = b"EVALSHA"
            traffic.publish(100)
            wait_until(lambda: saved(traffic, server) > 100)
            server.kill()
            server.start()
            switch.lead_to(server.port)
        assert traffic.finish() == traffic.meant()
    server.stop()
    assert UNANSWERED in worker_log.text


@pytest.mark.parametrize(
    ("number", "options"), [(0, FORGETFUL), (1, FORGETFUL), (2, FORGETFUL), (1, {})]
)
def test_a_server_of_a_cluster_killed_in_the_middle_of_saves_comes_back(
    tmp_path: Path,
    worker_log: pytest.LogCaptureFixture,
    number: int,
    options: dict[str, str],
) -> None:
    cluster = ValkeyCluster(tmp_path, options=options)
    with running(cluster, SHARDS) as traffic:
        with traffic.running(events_a_turn=50):
            kill_in_the_middle(traffic, cluster.servers[number], worker_log)
        assert traffic.finish() == traffic.meant()


@contextmanager
def replica_of_first(cluster: ValkeyCluster, directory: Path) -> Iterator[ValkeyServer]:
    """A fourth server of the cluster, as soon as it has what the first one has."""
    (bus,) = free_ports(1)
    options = {
        "cluster-enabled": "yes",
        "cluster-port": str(bus),
        "cluster-node-timeout": "2000",
    }
    replica = ValkeyServer(directory, options=options)
    with running_server(replica), replica.client() as client:
        with cluster.servers[0].client() as first:
            first_id = first.execute_command("CLUSTER MYID")
            first.execute_command("CLUSTER MEET", "127.0.0.1", replica.port, bus)
        wait_until(lambda: first_id in str(client.execute_command("CLUSTER NODES")))
        client.execute_command("CLUSTER REPLICATE", first_id)
        wait_until(lambda: client.info("replication").get("master_link_status") == "up")
        yield replica


def test_a_worker_follows_the_failover_that_a_cluster_makes_itself(tmp_path: Path) -> None:
    cluster = ValkeyCluster(tmp_path / "cluster")
    with (
        running(cluster, SHARDS) as traffic,
        replica_of_first(cluster, tmp_path / "replica") as replica,
    ):
        with traffic.running(events_a_turn=5):
            traffic.wait_for(100)
            cluster.servers[0].kill()
            traffic.wait_for(traffic.published() + 100)
        with closing(RedisViewStore(cluster.url)) as store:
            assert replica.address in [facts.name for facts in store.facts()]
        assert traffic.finish() == traffic.meant()
