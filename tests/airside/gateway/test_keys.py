"""Idempotency keys: which are taken, and the time they carry."""

from uuid import UUID

import pytest

from airside.gateway.keys import made_at, parse_key
from schemas.errors import Invalid

RFC_AT = 1_645_557_742_000  # of the examples in RFC 9562, appendix A: 2022-02-22T19:22:22Z
VERSION_1 = "C232AB00-9414-11EC-B3C8-9F6BDECED846"
VERSION_6 = "1EC9414C-232A-6B00-B3C8-9F6BDECED846"
VERSION_7 = "017F22E2-79B0-7CC3-98C4-DC0C0C07398F"
VERSION_4 = "919108F7-52D1-4320-9BAC-F847DB4148A8"


@pytest.mark.parametrize("text", [VERSION_1, VERSION_6, VERSION_7])
def test_the_time_is_read_as_the_standard_writes_it(text: str) -> None:
    assert made_at(UUID(text)) == RFC_AT


def test_a_random_key_carries_no_time() -> None:
    assert parse_key(VERSION_4).issued_at is None


def test_a_time_beyond_what_a_command_may_carry_is_none() -> None:
    assert made_at(UUID("ffffffff-ffff-7000-8000-000000000000")) is None


@pytest.mark.parametrize(
    "text", [VERSION_7.lower(), f'"{VERSION_7}"', f" {VERSION_7} ", VERSION_7.replace("-", "")]
)
def test_every_usual_spelling_names_the_same_command(text: str) -> None:
    assert parse_key(text).command_id == VERSION_7.replace("-", "").lower()


@pytest.mark.parametrize("text", [None, "", "order-17", VERSION_7 + "0"])
def test_what_is_no_uuid_is_refused_with_the_next_step(text: str | None) -> None:
    with pytest.raises(Invalid, match="Make a version 7 UUID"):
        parse_key(text)


def test_commands_of_a_batch_get_ids_of_their_own_that_a_retry_gets_again() -> None:
    first, again = parse_key(VERSION_7), parse_key(VERSION_7.lower())
    ids = [first.nth(n) for n in range(3)]
    assert len(set(ids)) == 3
    assert ids == [again.nth(n) for n in range(3)]
