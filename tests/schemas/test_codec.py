"""The codec: what it says of bytes that it cannot read, and of what is not allowed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import upcasts
from schemas.codec import CODEC, Codec
from schemas.commands import AcquireLicense, RegisterDevice, SyncDevice
from schemas.envelope import INSTANT_MAX, LIST_ITEMS_MAX, Event, new_id
from schemas.errors import Invalid, Unreadable
from schemas.events import AccountErased, DownloadReported, LicenseIssued, LicenseRenewed
from schemas.registry import load_schemas
from tests.kit.golden import golden
from tests.kit.messages import events

ENVELOPE: dict[str, Any] = {
    "seq": 42,
    "version": 7,
    "at": 1_767_225_600_000,
    "issued_at": 1_767_225_599_000,
    "catalog_version": 3,
    "command_id": "0f" * 16,
    "account_id": "a1",
    "actor": "member",
}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", r"no C3 01 marker: 0 bytes"),
        (b"hello", r"no C3 01 marker: 5 bytes that begin with '68 65 6c 6c 6f'"),
        (b'{"type": "AcquireLicense"}', r"Only Avro single-object encoding is read here"),
        (b"\x00\x00\x00\x00\x01abcdef", r"no C3 01 marker"),
        (b"\xc3\x01\x01\x02", r"cut off: 4 bytes of a 10-byte header"),
        (b"\xc3\x01" + b"\xab" * 8, r"unknown schema fingerprint abababababababab"),
        (b"\xc3\x01" + b"\xab" * 8, r"Upgrade this worker, then redrive"),
    ],
)
def test_bytes_that_no_schema_knows_are_told_apart(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        CODEC.decode_command(data)
    with pytest.raises(Unreadable, match=says):
        CODEC.decode_event(data)
    with pytest.raises(Unreadable, match=says):
        CODEC.event_decoder([LicenseIssued], ["at"])(data)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_unreadable_and_nothing_else(data: bytes) -> None:
    with pytest.raises(Unreadable):
        CODEC.decode_event(data)


def test_an_event_among_commands_says_so() -> None:
    with pytest.raises(Unreadable, match=r"LicenseIssued\.v1: is event, not command"):
        CODEC.decode_command(bytes.fromhex(golden("LicenseIssued.v1")[0].record))


def test_a_command_among_events_says_so() -> None:
    data = bytes.fromhex(golden("AcquireLicense.v2")[0].record)

    with pytest.raises(Unreadable, match=r"AcquireLicense\.v2: is command, not event"):
        CODEC.event_decoder([LicenseIssued])(data)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"account_id": ""}, r'AcquireLicense\.account_id = "": expected text of 1 to 128'),
        ({"account_id": "a" * 10_000}, r"account_id = \"a{79}… \(10002 characters\): expected"),
        ({"issued_at": -1}, r"issued_at = -1: expected an instant"),
        ({"issued_at": INSTANT_MAX + 1}, r"issued_at = 4102444800001: expected .* before 2100"),
        ({"drm": "none"}, r'drm = "none": expected fairplay or playready or widevine'),
        ({"quality": "q" * 129}, r"quality = \"q+… .*: expected text of 1 to 128 characters"),
    ],
)
def test_a_command_that_is_not_allowed_says_field_value_and_what_was_expected(
    change: dict[str, Any], says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        CODEC.decode_command(CODEC.encode(an_acquire(**change)))


def test_a_number_outside_its_choices_is_not_allowed() -> None:
    level: Any = 4
    command = RegisterDevice(
        command_id=new_id(), account_id="a1", issued_at=1, device_id="d1", security_level=level
    )

    with pytest.raises(Invalid, match=r"security_level = 4: expected 1 or 2 or 3"):
        CODEC.decode_command(CODEC.encode(command))


def test_a_list_is_bounded() -> None:
    command = SyncDevice(
        command_id=new_id(),
        account_id="a1",
        issued_at=1,
        device_id="d1",
        held_license_ids=(new_id(),) * (LIST_ITEMS_MAX + 1),
        device_clock=1,
    )

    with pytest.raises(Invalid, match=r"held_license_ids .*: expected up to 1000 times a UUID"):
        CODEC.decode_command(CODEC.encode(command))


def test_a_command_of_version_1_gets_what_came_later_as_a_default() -> None:
    command = CODEC.decode_command(bytes.fromhex(golden("AcquireLicense.v1")[0].record))

    assert isinstance(command, AcquireLicense)
    assert command.quality == "standard"


def test_an_event_of_version_1_gets_what_came_later_as_defaults() -> None:
    event = CODEC.decode_event(bytes.fromhex(golden("LicenseIssued.v1")[0].record))

    assert isinstance(event, LicenseIssued)
    assert (event.quality, event.warnings) == ("standard", ())


def test_some_fields_of_version_1_get_their_defaults_too() -> None:
    decode = CODEC.event_decoder([LicenseIssued], ["quality", "drm"])

    part = decode(bytes.fromhex(golden("LicenseIssued.v1")[0].record))

    assert (part.quality, part.drm) == ("standard", "fairplay")


def test_a_retired_event_means_what_replaced_it() -> None:
    data = bytes.fromhex(golden("DownloadCompleted.v1")[0].record)

    event = CODEC.decode_event(data)

    assert isinstance(event, DownloadReported)
    assert event.status == "completed"
    assert event.seq == CODEC.seq_of(data)


def test_an_upcast_keeps_the_envelope() -> None:
    retired = upcasts.DownloadCompleted(
        **ENVELOPE, license_id="ab" * 16, device_id="d1", title_id="t1", bytes=5
    )

    assert upcasts.envelope_of(upcasts.upcast(retired)) == ENVELOPE


@pytest.mark.parametrize("retired", sorted(upcasts.UPCASTS, key=str))
def test_every_retired_event_ends_up_as_one_of_today(retired: type[Event]) -> None:
    schema = next(schema for schema in load_schemas() if schema.name == retired.__name__)

    event = CODEC.decode_event(bytes.fromhex(golden(schema.label)[0].record))

    assert type(event) is upcasts.TODAY[retired]
    assert type(event) not in upcasts.UPCASTS


def test_a_retired_event_is_not_written_any_more() -> None:
    retired = upcasts.DownloadCompleted(
        **ENVELOPE, license_id="ab" * 16, device_id="d1", title_id="t1", bytes=5
    )

    with pytest.raises(Invalid, match="DownloadCompleted: is no message of today"):
        CODEC.encode(retired)


def test_a_part_of_an_event_has_only_what_was_asked_for() -> None:
    decode = CODEC.event_decoder([LicenseIssued, LicenseRenewed], ["account_id", "renewal"])

    part = decode(bytes.fromhex(golden("LicenseIssued.v2")[0].record))

    assert not hasattr(part, "renewal")
    assert not hasattr(part, "at")
    assert part.event_type is LicenseIssued


def test_whole_events_name_their_type_as_parts_do() -> None:
    assert (
        CODEC.decode_event(CODEC.encode(AccountErased(**ENVELOPE))).event_type is AccountErased
    )


def test_a_field_that_no_event_has_is_refused_at_once() -> None:
    with pytest.raises(Invalid, match="licence_id: no such field in any of LicenseIssued"):
        CODEC.event_decoder([LicenseIssued], ["licence_id"])


@given(event=events())
def test_the_seq_of_any_event_is_read_without_decoding_it(event: Event) -> None:
    assert CODEC.seq_of(CODEC.encode(event)) == (event.seq if event.seq >= 0 else None)


def test_the_seq_is_read_from_bytes_of_an_unknown_schema_too() -> None:
    data = CODEC.encode(AccountErased(**ENVELOPE))

    assert CODEC.seq_of(b"\xc3\x01" + b"\xab" * 8 + data[10:]) == 42


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xc3\x01",
        b"\xc3\x01" + b"\xab" * 8,
        b"\xc3\x01" + b"\xab" * 8 + b"\xff" * 20,
        CODEC.encode(
            AcquireLicense(
                command_id="ab" * 16, account_id="a", issued_at=1, device_id="d", title_id="t"
            )
        ),
    ],
)
def test_what_is_no_event_record_has_no_seq(data: bytes) -> None:
    assert CODEC.seq_of(data) is None


def test_the_fingerprint_is_short_and_the_same_for_the_same_schemas() -> None:
    assert CODEC.fingerprint() == Codec(load_schemas()[::-1]).fingerprint()
    assert len(CODEC.fingerprint()) == 16


def test_the_fingerprint_differs_where_a_schema_is_missing() -> None:
    assert CODEC.fingerprint() != Codec(load_schemas()[1:]).fingerprint()


def an_acquire(**change: Any) -> AcquireLicense:
    fields: dict[str, Any] = {"command_id": new_id(), "account_id": "a1", "issued_at": 1}
    return AcquireLicense(**(fields | {"device_id": "d1", "title_id": "t1"} | change))
