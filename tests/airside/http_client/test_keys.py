"""Idempotency keys of the client."""

from uuid import UUID

from airside.gateway.keys import made_at
from airside.http_client.keys import Keys


def test_a_key_is_a_version_7_uuid_that_carries_its_time() -> None:
    key = UUID(Keys(lambda: 1_732_456_800_000).new())
    assert (key.version, key.variant, made_at(key)) == (
        7,
        "specified in RFC 4122",
        1_732_456_800_000,
    )


def test_each_key_has_a_later_time_than_the_one_before_though_the_clock_stands_still() -> None:
    keys = Keys(lambda: 5)
    times = [made_at(UUID(keys.new())) for _ in range(200)]
    assert times == list(range(5, 205))


def test_keys_do_not_go_back_with_the_clock() -> None:
    clock = iter((10, 3))
    keys = Keys(lambda: next(clock))
    assert [made_at(UUID(keys.new())) for _ in range(2)] == [10, 11]


def test_two_clients_make_different_keys_of_the_same_time() -> None:
    assert Keys(lambda: 5).new() != Keys(lambda: 5).new()
