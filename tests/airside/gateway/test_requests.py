"""From a request to commands."""

import pytest

from airside.gateway.keys import parse_key
from airside.gateway.requests import (
    BATCH_COMMANDS_MAX,
    InvalidBatch,
    batch_of_commands,
    body_of,
    one_command,
)
from airside.gateway.senders import NotAllowed, Sender
from commands.stream import RECENT_MAX
from schemas.commands import AcquireLicense
from schemas.errors import Invalid
from tests.kit.gateway import KEY, acquire

TIMED = parse_key(KEY)
RANDOM = parse_key("919108f7-52d1-4320-9bac-f847db4148a8")
ANYBODY = Sender("local", "operator")
MEMBER = Sender("a1", "member")


def test_a_command_is_made_of_path_key_token_and_body() -> None:
    command = one_command(acquire(), "a1", TIMED, MEMBER)
    assert command == AcquireLicense(
        command_id=TIMED.command_id,
        account_id="a1",
        issued_at=TIMED.issued_at or 0,
        actor="member",
        device_id="d1",
        title_id="t1",
    )


def test_the_same_request_is_the_same_command_whenever_it_comes() -> None:
    assert one_command(acquire(), "a1", TIMED, MEMBER) == one_command(
        acquire(), "a1", parse_key(KEY.upper()), MEMBER
    )


def test_issued_at_of_the_body_goes_before_the_time_of_the_key() -> None:
    fields = acquire(issued_at="2026-11-24T12:00:00Z")
    assert one_command(fields, "a1", TIMED, MEMBER).issued_at == 1_795_521_600_000


def test_without_any_time_it_is_refused_and_not_filled_in_with_now() -> None:
    with pytest.raises(Invalid, match=r"without issued_at.*version 7"):
        one_command(acquire(), "a1", RANDOM, MEMBER)


def test_a_random_key_and_a_time_of_its_own_are_enough() -> None:
    assert one_command(acquire(issued_at=5), "a1", RANDOM, MEMBER).issued_at == 5


def test_a_whole_number_may_be_written_with_a_point() -> None:
    fields = {"type": "RegisterDevice", "device_id": "d1", "security_level": 3.0}
    assert getattr(one_command(fields, "a1", TIMED, MEMBER), "security_level", 0) == 3


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        (acquire(account_id="a2"), 'account_id "a2" is not that of the path, "a1"'),
        (acquire(command_id="0" * 32), "command_id 0+ is not the Idempotency-Key"),
        (acquire(command_id=7), "command_id 7 is not a UUID"),
        (acquire(titel="t1"), "Did you mean title_id"),
        ({"type": "AcquireLicence"}, "Did you mean AcquireLicense"),
        ({"type": "AcquireLicense", "device_id": "d1"}, "lacks title_id"),
        ({"device_id": "d1"}, "without a type"),
        (acquire(quality=3), "AcquireLicense.quality = 3: expected text"),
        ({"type": ["AcquireLicense"]}, "no such command"),
        (acquire(issued_at="yesterday"), "expected an instant with a time zone"),
    ],
)
def test_what_is_wrong_is_named_with_its_value(fields: dict[str, object], what: str) -> None:
    with pytest.raises(Invalid, match=what):
        one_command(fields, "a1", TIMED, ANYBODY)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid, match="body"):
        body_of(data)


def test_a_batch_keeps_its_order_and_gives_each_command_an_id() -> None:
    titles = ["t3", "t1", "t2"]
    body = {"commands": [acquire(title_id=title) for title in titles]}
    commands = batch_of_commands(body, "a1", TIMED, MEMBER)
    assert [getattr(command, "title_id", "") for command in commands] == titles
    assert [c.command_id for c in commands] == [TIMED.nth(n) for n in range(3)]
    assert {c.issued_at for c in commands} == {TIMED.issued_at}


def test_a_batch_with_a_wrong_command_says_which_ones() -> None:
    body = {"commands": [acquire(), acquire(device_id=1), acquire(), {"type": "X"}]}
    with pytest.raises(InvalidBatch, match="2 of 4 commands are wrong, and none was") as raised:
        batch_of_commands(body, "a1", TIMED, MEMBER)
    assert [error.partition(":")[0] for error in raised.value.errors] == [
        "commands[1]",
        "commands[3]",
    ]


def test_a_batch_with_a_command_that_is_not_allowed_says_which_one() -> None:
    body = {"commands": [acquire(), {"type": "CloseAccount"}]}
    with pytest.raises(NotAllowed, match=r"commands\[1\]: CloseAccount needs.*None was sent"):
        batch_of_commands(body, "a1", TIMED, MEMBER)


def test_an_id_is_not_there_twice_in_a_batch() -> None:
    body = {"commands": [acquire(command_id="1" * 32), acquire(command_id="1" * 32)]}
    with pytest.raises(InvalidBatch, match=r"commands\[1\]: its command_id is there twice"):
        batch_of_commands(body, "a1", TIMED, MEMBER)


@pytest.mark.parametrize(
    "body", [{}, {"commands": {}}, {"commands": [], "wait": 1}, {"commands": []}]
)
def test_a_batch_is_a_list_of_commands_and_nothing_else(body: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="batch"):
        batch_of_commands(body, "a1", TIMED, MEMBER)


def test_a_batch_has_a_bound_below_what_an_account_remembers() -> None:
    body = {"commands": [acquire()] * (BATCH_COMMANDS_MAX + 1)}
    assert BATCH_COMMANDS_MAX < RECENT_MAX
    with pytest.raises(Invalid, match="Split it"):
        batch_of_commands(body, "a1", TIMED, MEMBER)
