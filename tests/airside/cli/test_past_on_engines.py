"""Healing and looking back on Cassandra, Kafka and Valkey, beside the roles at work."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airside.adapters.redis_servers import connect
from airside.wiring import open_deployment
from projectors.generations import serving
from schemas.record import shard_of
from tests.kit.cli import Shell, at_work
from tests.kit.engines import on_engines

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

WRONG = b'{"version":99}'


@pytest.fixture
def shell(
    cassandra_url: str, kafka_url: str, views_url: str, tmp_path: Path
) -> Iterator[Shell]:
    """Handler and projector at work on an account with a device."""
    shell = on_engines(
        tmp_path / "data", events=cassandra_url, log=kafka_url, views=views_url, shards=2
    )
    with at_work(shell, "handle", "project"):
        shell.send("OpenAccount", "account_id=a1", "plan_id=standard", "country=DE")
        register(shell, "d1")
        yield shell


def register(shell: Shell, device_id: str) -> list[str]:
    """One more device; which ones there are then."""
    sent = shell.send("RegisterDevice", "account_id=a1", f"device_id={device_id}")
    return devices(shell, "--min-version", sent["token"])


def devices(shell: Shell, *words: str) -> list[str]:
    return [one["device_id"] for one in shell.ask("devices", "a1", *words)["devices"]]


def spoil(shell: Shell, url: str) -> None:
    """A row of `devices` is written over in the server."""
    with open_deployment(shell.settings) as deployment, deployment.view_store() as views:
        served = serving(views.registry("devices"))
    with connect(url, timeout_seconds=5.0) as client:
        client.hset(f"airside:{{{served.key}.{shard_of('a1', 2)}}}:rows", "a1", WRONG)
        client.connection_pool.disconnect()


def look_back(shell: Shell, source: str, label: str, as_of: str) -> Any:
    words = ["--from", source, "--into", label, "--as-of", as_of, "--json"]
    ran = shell("replay", "devices", *words)
    assert ran.code == 0, ran.err
    return ran.json


def test_a_row_is_healed_and_stays_right(shell: Shell, views_url: str) -> None:
    spoil(shell, views_url)
    healed = shell("replay", "devices", "--account", "a1", "--json")
    assert (healed.code, healed.json["rewritten"]) == (0, 1), healed.err
    assert register(shell, "d2") == ["d1", "d2"]
    assert shell("check", "--only", "rows").code == 0


def test_it_is_as_it_was_from_the_topic_and_from_the_store(shell: Shell) -> None:
    between = time.time_ns() // 1_000_000 + 2
    while time.time_ns() // 1_000_000 <= between:
        time.sleep(0.001)
    as_of = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(between // 1_000))
    register(shell, "d2")
    built = [
        look_back(shell, source, source, f"{as_of}.{between % 1_000:03}Z")
        for source in ("topic", "store")
    ]
    assert [one["events"] for one in built] == [built[0]["events"]] * 2
    assert devices(shell, "--generation", "topic") == ["d1"]
    assert devices(shell, "--generation", "store") == ["d1"]
    assert devices(shell) == ["d1", "d2"]
