"""Partitioning: what every Kafka client with murmur2 agrees on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.record import murmur2, shard_of


# Apache Kafka's own, of UtilsTest.testMurmur2 (Java's ints are signed).
@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_murmur2_is_the_one_of_the_java_client(text: str, signed: int) -> None:
    assert murmur2(text.encode()) == signed & 0xFFFFFFFF


@given(st.binary(max_size=100))
def test_a_hash_has_32_bits(data: bytes) -> None:
    assert 0 <= murmur2(data) < 2**32


@pytest.mark.parametrize(("account_id", "shard"), [("21", 4), ("foobar", 6), ("abc", 3)])
def test_a_shard_is_the_positive_hash_modulo_the_shards(account_id: str, shard: int) -> None:
    assert shard_of(account_id, 8) == shard


@given(st.text(), st.integers(1, 1_000))
def test_every_account_has_a_shard(account_id: str, shards: int) -> None:
    assert 0 <= shard_of(account_id, shards) < shards
