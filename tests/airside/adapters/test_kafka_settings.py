"""Addresses of clusters, and the settings that follow from them."""

import pytest

from airside.adapters.kafka_settings import parse_cluster
from schemas.errors import Invalid

SECRET = "kafka://me:s%40cret@one:9092,two/prod?replication=3&tls=true&ca=/etc/ca.pem"


def test_hosts_and_prefix_are_taken_apart() -> None:
    cluster = parse_cluster(SECRET)
    assert cluster.client()["bootstrap.servers"] == "one:9092,two:9092"
    assert (cluster.named("commands"), cluster.member("handlers")["group.id"]) == (
        "prod.commands",
        "prod.handlers",
    )


def test_without_a_prefix_names_stay_as_they_are() -> None:
    cluster = parse_cluster("kafka://[::1]:9094")
    assert (cluster.named("events"), cluster.client()["bootstrap.servers"]) == (
        "events",
        "[::1]:9094",
    )


@pytest.mark.parametrize(
    ("url", "min_insync"),
    [
        ("kafka://h", 1),
        ("kafka://h?replication=2", 2),
        ("kafka://h?replication=3", 2),
        ("kafka://h?replication=3&min_insync=1", 1),
    ],
)
def test_a_majority_acknowledges_unless_it_is_said_otherwise(url: str, min_insync: int) -> None:
    assert parse_cluster(url).min_insync == min_insync


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("kafka://h", "PLAINTEXT"),
        ("kafka://h?tls=true", "SSL"),
        ("kafka://me:x@h", "SASL_PLAINTEXT"),
        (SECRET, "SASL_SSL"),
    ],
)
def test_a_user_and_encryption_choose_the_protocol(url: str, protocol: str) -> None:
    assert parse_cluster(url).client()["security.protocol"] == protocol


def test_a_user_logs_in_with_scram_by_default() -> None:
    client = parse_cluster(SECRET).client()
    named = ("sasl.mechanism", "sasl.username", "sasl.password", "ssl.ca.location")
    assert [client[name] for name in named] == ["SCRAM-SHA-512", "me", "s@cret", "/etc/ca.pem"]


def test_the_address_shows_no_password() -> None:
    cluster = parse_cluster(SECRET)
    assert "s@cret" not in f"{cluster} {cluster!r}"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("kafka://h?replication=2&min_insync=3", "min_insync is 3, replication 2"),
        ("kafka://h?sasl=GSSAPI", "Choose of: SCRAM-SHA-512, SCRAM-SHA-256, PLAIN"),
        ("kafka://h?group_protocol=eager", "Choose of: consumer, classic"),
        ("kafka://h?retries=3", "there is no option 'retries'"),
        ("kafka://h?replication=none", "It is a whole number"),
    ],
)
def test_what_cannot_be_is_refused_with_what_could(url: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        parse_cluster(url)


def test_a_group_protocol_has_only_the_settings_that_it_allows() -> None:
    assert "session.timeout.ms" not in parse_cluster("kafka://h").member("g")
    assert parse_cluster("kafka://h?group_protocol=classic").member("g")["group.protocol"] == (
        "classic"
    )


def test_nothing_is_passed_by_a_record_that_failed() -> None:
    producer = parse_cluster("kafka://h").producer()
    assert {name: producer[name] for name in ("acks", "enable.gapless.guarantee")} == {
        "acks": "all",
        "enable.gapless.guarantee": True,
    }
    assert producer["message.timeout.ms"] == 0  # a timeout would be a gap
