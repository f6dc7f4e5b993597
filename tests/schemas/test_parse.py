"""Commands from people, and what is said to them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.commands import (
    AcquireLicense,
    GrantAllowance,
    RedriveParked,
    RegisterDevice,
    RevokeLicense,
    SyncDevice,
)
from schemas.envelope import Command
from schemas.errors import Invalid
from schemas.meanings import MEANINGS
from schemas.parse import describe, parse_assignments, parse_command, parse_command_line
from schemas.registry import COMMAND_TYPES
from tests.kit.messages import as_json, commands

ID = "0f" * 16
HERE: dict[str, Any] = {"command_id": ID, "issued_at": 1_700_000_000_000, "actor": "member"}
ACQUIRE = {"type": "AcquireLicense", "account_id": "a1", "device_id": "d1", "title_id": "t1"}
SYNC = {"type": "SyncDevice", "account_id": "a1", "device_id": "d1"}


@settings(deadline=None)
@given(command=commands())
def test_every_command_can_be_said_as_json(command: Command) -> None:
    line = msgspec.json.encode(as_json(command))

    assert parse_command_line(line, **HERE) == command


def test_what_is_missing_is_filled_in() -> None:
    assert parse_command(ACQUIRE, **HERE) == AcquireLicense(
        command_id=ID,
        account_id="a1",
        issued_at=1_700_000_000_000,
        actor="member",
        device_id="d1",
        title_id="t1",
    )


def test_what_is_said_is_kept() -> None:
    said = {"command_id": "1e" * 16, "issued_at": 5, "actor": "support:ann", "quality": "high"}

    command = parse_command(ACQUIRE | said, **HERE)

    assert said.items() <= as_json(command).items()


@pytest.mark.parametrize(
    "spelling",
    [
        "0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f",
        "{0F0F0F0F-0F0F-0F0F-0F0F-0F0F0F0F0F0F}",
        "urn:uuid:0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f",
        "0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F",
    ],
)
def test_an_id_may_be_spelled_as_any_uuid(spelling: str) -> None:
    revoke = parse_command(
        {"type": "RevokeLicense", "account_id": "a1", "license_id": spelling}, **HERE
    )
    sync = parse_command(SYNC | {"held_license_ids": [spelling], "device_clock": 1}, **HERE)

    assert isinstance(revoke, RevokeLicense)
    assert isinstance(sync, SyncDevice)
    assert (revoke.license_id, sync.held_license_ids) == (ID, (ID,))


@pytest.mark.parametrize(
    ("instant", "ms"),
    [
        (1_700_000_000_000, 1_700_000_000_000),
        ("1970-01-01T00:00:01Z", 1_000),
        ("2026-01-31T13:00:00.25+01:00", 1_769_860_800_250),
    ],
)
def test_an_instant_may_be_iso_8601_with_a_time_zone(instant: object, ms: int) -> None:
    assert parse_command(ACQUIRE | {"issued_at": instant}, **HERE).issued_at == ms


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, r'\{\}: a command without a type\. Add "type": one of OpenAccount, '),
        ({"type": "AquireLicense"}, r'"AquireLicense": no such command\. Did you mean Acquire'),
        ({"type": "acquirelicense"}, r"Did you mean AcquireLicense"),
        ({"type": "Xyzzy"}, r'"Xyzzy": no such command\. There are OpenAccount, '),
        ({"type": 5}, r"5: no such command"),
        ({"type": "LicenseIssued"}, r'"LicenseIssued": no such command'),
        ({"type": "RenewDevice"}, r"RenewDevice lacks account_id, device_id\. RenewDevice has"),
        (
            ACQUIRE | {"tittle_id": "t"},
            r'"tittle_id": no field of this .* Did you mean title_id\?',
        ),
        (
            ACQUIRE | {"zzz": 1},
            r'"zzz": no field of this command\. AcquireLicense has',
        ),
        (ACQUIRE | {"z" * 10_000: 1}, r'^"z{79}… \(10002 characters\): no field'),
        (
            ACQUIRE | {"account_id": 17},
            r"account_id = 17: expected text of 1 to 128 characters",
        ),
        (
            ACQUIRE | {"account_id": ""},
            r'account_id = "": expected text of 1 to 128 characters',
        ),
        (ACQUIRE | {"account_id": None}, r"account_id = null: expected text"),
        (ACQUIRE | {"account_id": "a" * 10_000}, r"a{79}… \(10002 characters\): expected text"),
        (ACQUIRE | {"account_id": "\ud800"}, r"account_id = '.ud800': expected text that UTF"),
        (ACQUIRE | {"drm": "\ud800"}, r"drm = '.ud800': expected text that UTF"),
        (ACQUIRE | {"\ud800": 1}, r"'.ud800': no field of this command"),
        (ACQUIRE | {"account_id": {"a": [1]}}, r'account_id = \{"a":\[1\]\}: expected text'),
        (ACQUIRE | {"drm": "foo"}, r'drm = "foo": expected fairplay or playready or widevine'),
        (ACQUIRE | {"command_id": "c1"}, r'command_id = "c1": expected a UUID, 32 hex digits'),
        (ACQUIRE | {"command_id": 1}, r"command_id = 1: expected a UUID"),
        (
            ACQUIRE | {"issued_at": "soon"},
            r'issued_at = "soon": expected an instant with a time',
        ),
        (ACQUIRE | {"issued_at": "2026-01-31T12:00"}, r"expected an instant with a time zone"),
        (ACQUIRE | {"issued_at": 9e99}, r"issued_at = 9e99: expected an instant"),
        (ACQUIRE | {"issued_at": 10**30}, r"issued_at = 10{30}: expected an instant"),
        (ACQUIRE | {"issued_at": "9999-01-01T00:00:00Z"}, r"issued_at = 25.*: .* before 2100"),
        (ACQUIRE | {"issued_at": True}, r"issued_at = true: expected an instant"),
        (SYNC | {"held_license_ids": ["x"], "device_clock": 1}, r'held_license_ids\[0\] = "x"'),
        (SYNC | {"held_license_ids": [5], "device_clock": 1}, r"held_license_ids\[0\] = \[5\]"),
        (
            SYNC | {"held_license_ids": "x", "device_clock": 1},
            r'held_license_ids = "x": expect',
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_value_and_the_next_step(
    fields: dict[str, object], says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        parse_command(fields, **HERE)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", r"b'': Input data was truncated\. Write one JSON object on the line"),
        (b'{"type":', r"truncated"),
        (b'{"type": x}', r"invalid character \(byte 9\)"),
        (b"{} {}", r"trailing characters \(byte 4\)"),
        (b'{"type": "\xff"}', r"Write one JSON object on the line, in UTF-8"),
        (b"[" * 100_000, r"nested too deeply"),
        (b"[1, 2]", r"\[1,2\]: no JSON object"),
        (b"null", r"null: no JSON object"),
        (b'{"type": 1e999}', r"out of range"),
    ],
)
def test_a_line_that_is_no_json_object_says_where(line: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse_command_line(line, **HERE)


@settings(deadline=None)
@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5)
)
def test_any_value_in_a_field_is_a_command_or_told(value: Any) -> None:
    check_every_field(value)


def test_the_type_of_a_field_says_what_a_word_is() -> None:
    grant = parse_assignments(
        ["account_id=17", "count=3", "expires_at=1970-01-01T00:00:01Z", "note=a=b"],
        "GrantAllowance",
        **HERE,
    )

    assert isinstance(grant, GrantAllowance)
    assert (grant.account_id, grant.count, grant.expires_at) == ("17", 3, 1_000)
    assert grant.note == "a=b"


@pytest.mark.parametrize(
    ("word", "value"),
    [("true", True), ("yes", True), ("1", True), ("False", False), ("no", False), ("0", False)],
)
def test_truth_has_many_words(word: str, value: bool) -> None:
    revoke = parse_assignments(["account_id=a1", f"all={word}"], "RevokeLicense", **HERE)

    assert isinstance(revoke, RevokeLicense)
    assert revoke.all is value


@pytest.mark.parametrize(("words", "ids"), [("", ()), (ID, (ID,)), (f"{ID}, {ID}", (ID, ID))])
def test_a_list_is_separated_by_commas(words: str, ids: tuple[str, ...]) -> None:
    sync = parse_assignments(
        ["account_id=a1", "device_id=d1", "device_clock=1", f"held_license_ids={words}"],
        "SyncDevice",
        **HERE,
    )

    assert isinstance(sync, SyncDevice)
    assert sync.held_license_ids == ids


def test_a_choice_of_numbers_is_a_number() -> None:
    register = parse_assignments(
        ["account_id=a1", "device_id=d1", "security_level=1"], "RegisterDevice", **HERE
    )

    assert isinstance(register, RegisterDevice)
    assert register.security_level == 1


def test_an_operator_can_say_a_command_too() -> None:
    assert isinstance(
        parse_assignments(["account_id=a1"], "RedriveParked", **HERE), RedriveParked
    )


@pytest.mark.parametrize(
    ("command_type", "words", "says"),
    [
        ("RenewDevice", ["account_id"], r'"account_id": no FIELD=VALUE\. Write account_id=a1'),
        ("RenewDevice", ["device_id=a", "device_id=b"], r"device_id is there twice"),
        (
            "RenewDevice",
            ["account=a1"],
            r'"account": no field of this .* Did you mean account_id',
        ),
        ("RenewDevic", [], r"Did you mean RenewDevice"),
        (
            "DiscardParked",
            ["account_id=a", "offset=x"],
            r'offset = "x": expected a whole number',
        ),
        (
            "DiscardParked",
            ["account_id=a", "offset=-1"],
            r"offset = -1: expected a whole number",
        ),
        ("DiscardParked", ["account_id=a", "offset=" + "9" * 99], r"expected a whole number"),
        (
            "RevokeLicense",
            ["account_id=a", "all=maybe"],
            r'all = "maybe": expected true or false',
        ),
        ("RevokeLicense", ["account_id=a", "type=x"], r"type is there twice"),
    ],
)
def test_a_wrong_word_is_told(command_type: str, words: list[str], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse_assignments(words, command_type, **HERE)


@pytest.mark.parametrize("name", sorted(COMMAND_TYPES))
def test_a_description_names_every_field(name: str) -> None:
    text = "\n".join(describe(name))

    assert text.startswith(f"{name}: ")
    assert [
        field for field in COMMAND_TYPES[name].__struct_fields__ if f"  {field} " in text
    ] == [*COMMAND_TYPES[name].__struct_fields__]


def test_a_description_says_types_defaults_and_meanings() -> None:
    lines = describe("AcquireLicense")

    assert (
        "  quality           of the media, as the client names it [default: standard]" in lines
    )
    assert "                    text of 1 to 128 characters" in lines


def test_every_field_of_a_command_has_a_meaning_and_no_other_has() -> None:
    fields = {name for cls in COMMAND_TYPES.values() for name in cls.__struct_fields__}

    assert set(MEANINGS) == fields


def check_every_field(value: object) -> None:
    """Put a value into each field of a command; only Invalid may be raised."""
    for name in ("account_id", "command_id", "issued_at", "drm", "quality", "type"):
        try:
            parse_command(ACQUIRE | {name: value}, **HERE)
        except Invalid as error:
            assert len(str(error)) < 1_000  # noqa: PT017
