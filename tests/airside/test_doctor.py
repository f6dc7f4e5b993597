"""The doctor on real engines with something wrong on purpose, and on none at all."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    NewTopic,
)

from airside.adapters.cassandra_session import CassandraSession
from airside.adapters.kafka_settings import parse_cluster
from airside.doctor import begin, examine, in_haste, wait
from airside.settings import Settings
from airside.wiring import open_deployment
from projectors.generations import ensure_serving
from schemas.envelope import new_id
from schemas.errors import Unavailable
from stack.ports import free_ports
from stack.valkey import ValkeyServer
from tests.kit.judged import about, troubles, verdicts

NOBODY_WORKS = dict.fromkeys(("handlers", "projectors", "timekeepers"), "look")


def test_an_engine_that_never_answers_is_given_up_in_time() -> None:
    never: Future[int] = Future()
    answer = wait(never, time.monotonic() - 1)
    assert isinstance(answer, Unavailable)


def test_an_engine_that_is_away_is_an_answer_and_a_mistake_of_ours_is_not() -> None:
    def away() -> int:
        raise Unavailable("down")

    def mistaken() -> int:
        raise ZeroDivisionError

    soon = time.monotonic() + 10
    assert str(wait(begin(away), soon)) == "down"
    with pytest.raises(ZeroDivisionError):
        wait(begin(mistaken), soon)


def test_haste_keeps_every_other_option_of_the_address() -> None:
    asked = Settings(events="cassandra://u:p%40@a,b:1/k?replication=dc1:3&timeout_seconds=60")
    assert in_haste(asked).events == (
        "cassandra://u:p%40@a,b:1/k?replication=dc1%3A3&timeout_seconds=3"
    )
    assert in_haste(Settings()) == Settings()


def test_where_nobody_listens_every_engine_is_told_with_its_host(tmp_path: Path) -> None:
    events, log, views = free_ports(3)
    settings = Settings(
        data=tmp_path,
        events=f"cassandra://u:hidden@127.0.0.1:{events}/k",
        log=f"kafka://127.0.0.1:{log}",
        views=f"redis://:hidden@127.0.0.1:{views}/0",
    )
    found = examine(settings)
    told = {one.engine: f"{one.what} {one.verdict} {one.found} {one.advice}" for one in found}
    assert found[0].advice.count("refused") == 1
    assert told.keys() == {"event store", "log", "read models"}
    assert f"127.0.0.1:{events}" in told["event store"]
    assert f"127.0.0.1:{log}" in told["log"]
    assert f"127.0.0.1:{views}" in told["read models"]
    assert {one.what for one in found} == {"reached"}
    assert "hidden" not in str(found)


@pytest.mark.engines
def test_a_log_that_is_away_does_not_hide_the_others(
    tmp_path: Path, cassandra_url: str, views_url: str
) -> None:
    settings = laid_out(
        tmp_path,
        views=views_url,
        events=f"{cassandra_url}/t{new_id()[:12]}",
        log=f"kafka://127.0.0.1:{free_ports(1)[0]}",
    )
    found = examine(settings)
    assert troubles(found) == {"reached": "mend", "replication in datacenter1": "look"}
    assert verdicts(found)["eviction"] == "ok"
    assert verdicts(found)["shards"] == "ok"


@pytest.mark.engines
def test_real_engines_that_are_laid_out_have_nothing_to_mend(
    tmp_path: Path, kafka_url: str, cassandra_url: str, views_url: str
) -> None:
    name = f"t{new_id()[:12]}"
    settings = Settings(
        data=tmp_path,
        events=f"{cassandra_url}/{name}",
        log=f"{kafka_url}/{name}",
        views=views_url,
        shards=2,
    )
    with open_deployment(settings) as deployment:
        deployment.lay_out()
    assert troubles(examine(settings)) == NOBODY_WORKS | {
        "replication in datacenter1": "look",
        "topic commands, copies": "look",
        "topic events, copies": "look",
        "topic catalog, copies": "look",
    }


@pytest.mark.engines
def test_topics_that_somebody_else_made_are_mended_one_by_one(
    tmp_path: Path, kafka_url: str, cassandra_url: str, views_url: str
) -> None:
    name = f"t{new_id()[:12]}"
    settings = laid_out(
        tmp_path,
        views=views_url,
        events=f"{cassandra_url}/{name}",
        log=f"{kafka_url}/{name}",
        shards=4,
    )
    make_topic(settings, "commands", 4, {"message.timestamp.type": "CreateTime"})
    good = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "2000000"}
    make_topic(settings, "events", 2, good)
    found = troubles(examine(settings))
    assert {what: verdict for what, verdict in found.items() if verdict == "mend"} == {
        "topic commands, message.timestamp.type": "mend",
        "topic commands, max.message.bytes": "mend",
        "topic events, partitions": "mend",
        "topic catalog": "mend",
        "shards": "mend",
    }


@pytest.mark.engines
def test_a_table_that_was_dropped_is_missed_and_then_the_keyspace(
    tmp_path: Path, cassandra_url: str, views_url: str
) -> None:
    keyspace = f"t{new_id()[:12]}"
    settings = laid_out(
        tmp_path,
        views=views_url,
        events=f"{cassandra_url}/{keyspace}",
        log=f"kafka://127.0.0.1:{free_ports(1)[0]}",
    )
    with closing(CassandraSession(cassandra_url)) as session:
        session.connected().execute(f"DROP TABLE {keyspace}.snapshots")
        table = about(examine(settings), "keyspace")
        session.connected().execute(f"DROP KEYSPACE {keyspace}")
        gone = about(examine(settings), "keyspace")
    assert (table.verdict, table.found) == ("mend", "without table snapshots")
    assert (gone.verdict, gone.found) == ("mend", f"no {keyspace}")


@pytest.mark.engines
def test_an_evicting_server_is_named_with_the_command_that_mends_it(tmp_path: Path) -> None:
    with server(tmp_path, {"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}) as url:
        found = about(examine(laid_out(tmp_path, views=url)), "usable")
    assert found.verdict == "mend"
    assert "CONFIG SET maxmemory-policy noeviction" in found.advice


@pytest.mark.engines
def test_a_server_without_persistence_is_looked_at(tmp_path: Path) -> None:
    with server(tmp_path, {"appendonly": "no"}) as url:
        found = examine(laid_out(tmp_path, views=url))
    assert troubles(found) == {"persistence": "look"}


@pytest.mark.engines
def test_read_models_of_another_history_are_told(tmp_path: Path, views_url: str) -> None:
    settings = laid_out(tmp_path, views=views_url)
    with open_deployment(settings) as deployment, deployment.view_store() as views:
        ensure_serving(
            views, "downloads", fingerprint="f", now_at=1, history="another", shards=8
        )
    assert troubles(examine(settings)) == {"history": "mend"}


def laid_out(
    data: Path,
    *,
    views: str,
    events: str | None = None,
    log: str | None = None,
    shards: int = 8,
) -> Settings:
    """Settings whose event store, and embedded log, are laid out."""
    settings = Settings(data=data, events=events, log=log, views=views, shards=shards)
    with open_deployment(settings) as deployment, deployment.event_store() as store:
        store.lay_out(shards, shards)
        if log is None:
            deployment.lay_out()
    return settings


def make_topic(settings: Settings, name: str, partitions: int, config: dict[str, str]) -> None:
    """As somebody else would."""
    assert settings.log is not None
    cluster = parse_cluster(settings.log)
    topic = cluster.named(name)
    admin = AdminClient(cluster.client())
    made = admin.create_topics([NewTopic(topic, partitions, 1, config=config)])
    made[topic].result()


@contextmanager
def server(directory: Path, options: dict[str, str]) -> Iterator[str]:
    """A Valkey of our own; its address."""
    valkey = ValkeyServer(directory / "server", options=options)
    valkey.start()
    try:
        yield valkey.url
    finally:
        valkey.stop()
