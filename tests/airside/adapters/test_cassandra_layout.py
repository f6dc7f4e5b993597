"""Keyspace and tables are made once, by however many at once, and compared afterwards."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from cassandra import AuthenticationFailed, Unauthorized
from cassandra.cluster import NoHostAvailable

from airside.adapters import cassandra_layout
from airside.adapters.cassandra_errors import translated
from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import OPTIONS, CassandraSession
from airside.urls import parse
from schemas.envelope import new_id
from schemas.errors import Contradiction, Invalid, NotFound, Unavailable
from stack.cassandra import CassandraNode

URL = "cassandra://airside:secret@10.0.0.1,10.0.0.2:9043/airside"


@pytest.fixture(scope="module")
def keyspace() -> str:
    return f"layout_{new_id()[:12]}"


@pytest.fixture(scope="module")
def url(cassandra: CassandraNode, keyspace: str) -> str:
    return f"cassandra://{cassandra.address}/{keyspace}"


@pytest.fixture(scope="module")
def session(url: str) -> Iterator[CassandraSession]:
    """On a keyspace that two have laid out at the same time."""
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lay_out, [url, url]))
    assert found == [4, 4]
    with closing(CassandraSession(url)) as session:
        yield session


def lay_out(url: str, shards: int | None = 4) -> int:
    with closing(CassandraSession(url)) as session:
        return CassandraEventStore(session).lay_out(shards, default=8)


@pytest.mark.engines
def test_two_may_lay_out_at_once_and_find_one_history(
    session: CassandraSession, url: str
) -> None:
    with closing(CassandraSession(url)) as other:
        assert (
            CassandraEventStore(session).history_id() == CassandraEventStore(other).history_id()
        )


@pytest.mark.engines
def test_the_number_of_shards_stays_as_it_was_first(
    session: CassandraSession, url: str
) -> None:
    assert lay_out(url, None) == 4
    with pytest.raises(Contradiction, match="has 4 shards, 5 were asked for"):
        lay_out(url, 5)


@pytest.mark.engines
def test_a_column_that_is_missing_is_named(session: CassandraSession, url: str) -> None:
    connected, keyspace = session.connected(), session.keyspace
    connected.execute(f"ALTER TABLE {keyspace}.parked DROP reason")
    with pytest.raises(Contradiction, match="table parked has no column reason, text"):
        lay_out(url)
    connected.execute(f"ALTER TABLE {keyspace}.parked ADD reason text")
    assert lay_out(url) == 4


@pytest.mark.engines
def test_a_column_of_another_type_is_named(session: CassandraSession, url: str) -> None:
    connected, keyspace = session.connected(), session.keyspace
    connected.execute(f"DROP TABLE {keyspace}.settled")
    connected.execute(f"CREATE TABLE {keyspace}.settled (shard int PRIMARY KEY, number text)")
    with pytest.raises(Contradiction, match="settled has a column number of type text, bigint"):
        lay_out(url)
    connected.execute(f"DROP TABLE {keyspace}.settled")
    assert lay_out(url) == 4


@pytest.mark.engines
def test_more_replicas_than_nodes_are_refused(session: CassandraSession, url: str) -> None:
    with pytest.raises(Unavailable, match="3 replicas were asked for, datacenter1 has 1 nodes"):
        lay_out(f"{url}?replication=3&timeout_seconds=1")


@pytest.mark.engines
def test_fewer_replicas_than_asked_for_are_a_contradiction(session: CassandraSession) -> None:
    cassandra_layout.check_replication(session, {"datacenter1": 1})
    with pytest.raises(Contradiction, match="has 1 replicas in datacenter1, 2 were asked"):
        cassandra_layout.check_replication(session, {"datacenter1": 2})


@pytest.mark.engines
@pytest.mark.parametrize("option", ["dc=nowhere", "replication=nowhere:1"])
def test_a_data_centre_that_is_not_there_is_said_so(
    session: CassandraSession, url: str, option: str
) -> None:
    with pytest.raises(Invalid, match=r"no data centre 'nowhere'\. There are: datacenter1"):
        lay_out(f"{url}?{option}")


@pytest.mark.engines
def test_what_is_not_laid_out_is_said_with_the_command(cassandra: CassandraNode) -> None:
    with closing(CassandraSession(f"cassandra://{cassandra.address}/nothing_here")) as session:
        store = CassandraEventStore(session)
        with pytest.raises(NotFound, match="airside init"):
            store.shards()
        with pytest.raises(NotFound, match="airside init"):
            store.resume(0)


@pytest.mark.engines
def test_the_doctor_is_told_of_nodes_keyspace_and_clock(session: CassandraSession) -> None:
    found = CassandraEventStore(session).facts()
    assert (len(found.up), found.down, found.paxos_variant) == (1, (), "v2")
    assert found.replication["datacenter1"] == "1"
    assert abs(found.clock_ahead_ms) < 60_000
    assert found.missing == ()


def test_where_nobody_listens_it_is_said_with_the_host() -> None:
    session = CassandraSession("cassandra://127.0.0.1:1/airside")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1/airside: no node answers"):
        session.rows("layout")


def test_a_host_name_that_is_unknown_is_said_so() -> None:
    session = CassandraSession("cassandra://no.such.host.invalid/airside")
    with pytest.raises(Unavailable, match=r"no\.such\.host\.invalid.* Check the names"):
        session.rows("layout")


def test_a_closed_session_stays_closed() -> None:
    session = CassandraSession(URL)
    session.close()
    with pytest.raises(Unavailable, match="closed"):
        session.rows("layout")


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationFailed("bad credentials"),
        NoHostAvailable("none", {"10.0.0.1:9042": AuthenticationFailed("bad credentials")}),
    ],
)
def test_a_wrong_password_is_not_shown_and_not_tried_again(error: Exception) -> None:
    told = translated(error, parse(URL, scheme="cassandra", port=9042, options=OPTIONS))
    assert isinstance(told, Invalid)
    assert "10.0.0.1:9042,10.0.0.2:9043/airside" in str(told)
    assert "'airside'. Check user and password" in str(told)
    assert "secret" not in str(told)


def test_a_right_that_is_missing_is_said_with_the_user() -> None:
    error = Unauthorized("User airside has no MODIFY permission on <table airside.commits>")
    told = translated(error, parse(URL, scheme="cassandra", port=9042, options=OPTIONS))
    assert isinstance(told, Invalid)
    assert "no MODIFY permission" in str(told)
    assert "Grant it to user 'airside'" in str(told)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("cassandra://h/Airside", "no keyspace name"),
        ("cassandra://h/a-b", "no keyspace name"),
        ("cassandra://h/a?consistency=ONE", "QUORUM, LOCAL_QUORUM"),
        ("cassandra://h/a?serial=QUORUM", "SERIAL, LOCAL_SERIAL"),
        ("cassandra://h/a?consistency=LOCAL_QUORUM", "LOCAL_SERIAL, or neither"),
        ("cassandra://h/a?serial=LOCAL_SERIAL", "LOCAL_SERIAL, or neither"),
        ("cassandra://h/a?timeout_seconds=0", "at least 1"),
        ("cassandra://h/a?tls=true&ca=/no/such/file", "ca, cert or key"),
        ("cassandra://h/a?speed=high", "no option 'speed'"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url: str, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        CassandraSession(url)
