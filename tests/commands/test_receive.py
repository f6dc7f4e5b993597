"""What a record of the commands topic is taken for."""

from commands.receive import ITEM_BYTES_MAX, REASON_CHARACTERS_MAX, Received, receive
from schemas.codec import CODEC
from schemas.record import RECORD_BYTES_MAX, shard_of
from tests.kit.counter import NOW, add

SHARDS = 4
HOME = shard_of("a", SHARDS)


def received(key: bytes | None, value: bytes | None, shard: int = HOME) -> Received:
    return receive((17, NOW, key, value), shard, SHARDS, CODEC)


def code(item: Received) -> str:
    return item.reason.partition(":")[0]


def test_a_command_with_its_account_as_key_is_understood() -> None:
    item = received(b"a", CODEC.encode(add(1)))
    assert item.command == add(1)
    assert (item.offset, item.at, item.account_id, item.reason) == (17, NOW, "a", "")


def test_a_record_without_a_key_has_no_home() -> None:
    item = received(None, CODEC.encode(add(1)))
    assert (code(item), item.account_id, item.is_homeless) == ("BAD_KEY", "", True)


def test_a_key_that_is_no_text_has_no_home() -> None:
    item = received(b"\xff\xfe", CODEC.encode(add(1)))
    assert (code(item), item.account_id, item.is_homeless) == ("BAD_KEY", "", True)


def test_a_key_of_ten_thousand_characters_has_no_home_and_is_not_repeated() -> None:
    item = received(b"k" * 10_000, CODEC.encode(add(1)))
    assert (code(item), item.is_homeless) == ("BAD_KEY", True)
    assert len(item.reason) < REASON_CHARACTERS_MAX


def test_a_key_of_another_partition_has_no_home_here() -> None:
    item = received(b"a", CODEC.encode(add(1)), shard=(HOME + 1) % SHARDS)
    assert (code(item), item.account_id, item.is_homeless) == ("WRONG_PARTITION", "a", True)
    assert f"partition {HOME} of 4" in item.reason


def test_bytes_that_are_no_command_are_unreadable() -> None:
    assert code(received(b"a", b"{}")) == "UNREADABLE"
    assert code(received(b"a", None)) == "UNREADABLE"
    assert not received(b"a", b"{}").is_homeless


def test_a_command_whose_content_is_not_allowed_is_invalid() -> None:
    assert code(received(b"a", CODEC.encode(add(1, issued_at=-1)))) == "INVALID"


def test_a_command_for_another_account_than_its_key_is_a_mismatch() -> None:
    assert code(received(b"a", CODEC.encode(add(1, account="b")))) == "KEY_MISMATCH"


def test_a_record_over_its_bound_is_not_even_read() -> None:
    assert code(received(b"a", bytes(RECORD_BYTES_MAX + 1))) == "TOO_LARGE"


def test_what_is_parked_stays_whole() -> None:
    value = bytes(5 * 1024 * 1024)
    item = received(b"a", value)
    assert item.parked(item.reason).value == value


def test_what_no_commit_can_hold_is_parked_without_its_bytes_and_says_so() -> None:
    item = received(b"a", bytes(ITEM_BYTES_MAX + 1))
    parked = item.parked(item.reason)
    assert parked.value == b""
    assert "read it from the topic" in parked.reason


def test_a_reason_is_no_longer_than_people_read() -> None:
    assert len(received(b"a", b"").parked("x" * 10_000).reason) <= REASON_CHARACTERS_MAX + 1
