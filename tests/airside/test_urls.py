"""Addresses of engines, as people write them."""

import pytest

from airside.urls import parse
from schemas.errors import Invalid

OPTIONS = {"replication": "copies of the data", "tls": "encrypt", "mode": "how"}


def test_several_hosts_share_the_default_port() -> None:
    address = parse("kafka://a,b:9,[::1]:7", scheme="kafka", port=9092, options=OPTIONS)
    assert address.hosts == (("a", 9092), ("b", 9), ("::1", 7))


def test_user_password_path_and_options_are_taken_apart() -> None:
    url = "cassandra://me:p%40ss@h/keys?replication=3&tls=yes"
    address = parse(url, scheme="cassandra", port=9042, options=OPTIONS)
    assert (address.user, address.password, address.path) == ("me", "p@ss", "keys")
    assert (address.number("replication", 1), address.flag("tls")) == (3, True)


def test_no_message_and_no_text_shows_the_password() -> None:
    address = parse("kafka://me:secret@h/x?tls=1", scheme="kafka", port=1, options=OPTIONS)
    assert str(address) == "kafka://h:1/x"
    assert "secret" not in repr(address)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://h", "begins with kafka:// here, this one with redis://"),
        ("h:9092", "begins with kafka://"),
        ("kafka://", "'' is no host"),
        ("kafka://h:port", "'h:port' is no host"),
        ("kafka://h?replicas=3", "there is no option 'replicas'.*\n.*replication: copies"),
    ],
)
def test_an_address_that_cannot_be_understood_is_explained(url: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        parse(url, scheme="kafka", port=9092, options=OPTIONS)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", ""])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    address = parse(f"kafka://h?replication={value}", scheme="kafka", port=1, options=OPTIONS)
    with pytest.raises(Invalid, match=r"replication is .* whole number, at least 1"):
        address.number("replication", 1)


def test_a_flag_and_a_choice_take_known_words_only() -> None:
    address = parse("kafka://h?tls=maybe&mode=c", scheme="kafka", port=1, options=OPTIONS)
    with pytest.raises(Invalid, match="Write tls=true or =false"):
        address.flag("tls")
    with pytest.raises(Invalid, match="Choose of: a, b"):
        address.choice("mode", ("a", "b"))
