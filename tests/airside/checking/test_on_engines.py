"""`airside check` on Cassandra, Kafka and Valkey, beside the roles at work."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from airside.adapters.cassandra_session import CassandraSession
from airside.adapters.redis_servers import connect
from airside.wiring import Deployment, open_deployment
from projectors.generations import serving
from schemas.record import EVENTS_TOPIC, shard_of
from tests.kit.cli import Shell, at_work
from tests.kit.engines import on_engines

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]


@pytest.fixture
def shell(
    cassandra_url: str, kafka_url: str, views_url: str, tmp_path: Path
) -> Iterator[Shell]:
    """Handler and projector at work on an account with a few events."""
    shell = on_engines(
        tmp_path / "data", events=cassandra_url, log=kafka_url, views=views_url, shards=2
    )
    with at_work(shell, "handle", "project"):
        shell.send("OpenAccount", "account_id=a1", "plan_id=standard", "country=DE")
        sent = shell.send("RegisterDevice", "account_id=a1", "device_id=d1")
        assert shell.ask("devices", "a1", "--min-version", sent["token"])["standing"]["fresh"]
        yield shell


def stray(deployment: Deployment) -> int:
    """Somebody writes onto the events topic; at which offset."""
    with deployment.log() as topics:
        return topics.append(EVENTS_TOPIC, shard_of("a1", 2), [(b"a1", b"stray")])


def spoil(deployment: Deployment, url: str) -> None:
    """A row of `devices` is written over."""
    with deployment.view_store() as views:
        generation = serving(views.registry("devices"))
    with connect(url, timeout_seconds=5.0) as client:
        client.hset(f"airside:{{{generation.name}.{shard_of('a1', 2)}}}:rows", "a1", b"{}")
        client.connection_pool.disconnect()


def test_faults_are_named_and_repaired_while_the_roles_go_on(
    shell: Shell, views_url: str
) -> None:
    well = shell("check", "--json")
    assert (well.code, well.json["faults"]) == (0, [])
    with open_deployment(shell.settings) as deployment:
        spoil(deployment, views_url)
        spoiled = shell("check", "--only", "rows", "--json")
        assert [one["found"] for one in spoiled.json["faults"]] == ["{}"]
        assert shell("check", "--repair", "--json").code == 0
        sent = shell.send("RegisterDevice", "account_id=a1", "device_id=d2")
        healed = shell.ask("devices", "a1", "--min-version", sent["token"])
        offset = stray(deployment)
    assert len(healed["devices"]) == 2
    (fault,) = shell("check", "--json").json["faults"]
    assert (fault["check"], fault["place"]) == ("topic", f"offset {offset}")


def test_a_row_that_the_index_lacks_is_named(shell: Shell) -> None:
    assert shell.events is not None
    with closing(CassandraSession(shell.events)) as session:
        delete = f"DELETE FROM {session.keyspace}.events WHERE account_id='a1' AND version=2"
        session.connected().execute(delete)
    faults = shell("check", "--only", "index", "--json").json["faults"]
    assert [one["place"] for one in faults] == ["account a1, version 2"]
    assert "the index lacks it" in faults[0]["what"]
