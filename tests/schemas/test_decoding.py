"""The generated decoders, held to fastavro and to the plain reader."""

import tracemalloc
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import upcasts
from schemas.codec import CODEC
from schemas.decoding import decoder
from schemas.envelope import Event
from schemas.errors import Unreadable
from schemas.events import DeviceSynced, LicenseIssued
from schemas.reading import reader
from schemas.registry import EVENT_TYPES, Schema
from tests.kit.avro import NEWEST, SCHEMAS, records, resolved, written
from tests.kit.golden import golden
from tests.kit.messages import events

every_schema = pytest.mark.parametrize("label", sorted(SCHEMAS))
every_event_schema = pytest.mark.parametrize(
    "label", sorted(label for label in SCHEMAS if SCHEMAS[label].name in EVENT_TYPES)
)
every_older_schema = pytest.mark.parametrize(
    "label", sorted(s.label for s in SCHEMAS.values() if s.version < NEWEST[s.name].version)
)
quickly = settings(max_examples=10, deadline=None)


@every_schema
@quickly
@given(data=st.data())
def test_any_record_reads_as_fastavro_reads_it(label: str, data: st.DataObject) -> None:
    schema = SCHEMAS[label]
    record = written(schema, data.draw(records(schema)))

    assert everything_in(label)(record) == resolved(record, schema, schema)


@every_event_schema
@quickly
@given(data=st.data())
def test_the_newest_code_reads_every_older_version_as_fastavro_resolves_it(
    label: str, data: st.DataObject
) -> None:
    writer = SCHEMAS[label]
    record = written(writer, data.draw(records(writer)))

    event = CODEC.decode_event(record)

    assert msgspec.structs.asdict(event) == resolved(record, writer, NEWEST[writer.name])


@every_older_schema
@quickly
@given(data=st.data())
def test_every_later_version_can_resolve_an_older_one(label: str, data: st.DataObject) -> None:
    writer = SCHEMAS[label]
    record = written(writer, data.draw(records(writer)))

    read = [resolved(record, writer, later) for later in later_versions(writer)]

    assert [len(fields) for fields in read] == [
        len(later.avro["fields"]) for later in later_versions(writer)
    ]


@every_event_schema
@quickly
@given(data=st.data())
def test_some_fields_are_read_as_the_whole_event_has_them(
    label: str, data: st.DataObject
) -> None:
    schema = SCHEMAS[label]
    event_type = EVENT_TYPES[schema.name]
    fields = data.draw(st.sets(st.sampled_from(event_type.__struct_fields__)))
    record = written(schema, data.draw(records(schema)))

    part = CODEC.event_decoder([event_type], fields)(record)

    assert part.event_type is event_type
    assert msgspec.structs.asdict(part) == some(CODEC.decode_event(record), fields | {"seq"})


@quickly
@given(data=st.data())
def test_some_fields_of_a_retired_event_are_those_of_what_it_means_today(
    data: st.DataObject,
) -> None:
    schema = SCHEMAS["DownloadCompleted.v1"]
    today = upcasts.TODAY[upcasts.DownloadCompleted]
    record = written(schema, data.draw(records(schema)))

    part = CODEC.event_decoder([today], ["status", "device_id"])(record)

    assert part.event_type is today
    assert msgspec.structs.asdict(part) == some(
        CODEC.decode_event(record), {"seq", "status", "device_id"}
    )


@every_schema
@quickly
@given(data=st.data())
def test_damaged_bytes_read_as_the_plain_reader_reads_them(
    label: str, data: st.DataObject
) -> None:
    schema = SCHEMAS[label]
    record = damaged(data, written(schema, data.draw(records(schema))))

    assert outcome(everything_in(label), record) == outcome(plainly(schema), record)


@every_event_schema
@quickly
@given(data=st.data())
def test_a_decoder_of_some_fields_raises_nothing_but_unreadable(
    label: str, data: st.DataObject
) -> None:
    schema = SCHEMAS[label]
    event_type = EVENT_TYPES[schema.name]
    fields = data.draw(st.sets(st.sampled_from(event_type.__struct_fields__)))
    record = damaged(data, written(schema, data.draw(records(schema))))

    found = outcome(CODEC.event_decoder([event_type], fields), record)
    assert found is UNREADABLE or isinstance(found, int) or isinstance(found.seq, int)


@every_schema
def test_a_record_that_is_cut_off_anywhere_is_unreadable(label: str) -> None:
    schema = SCHEMAS[label]
    record = bytes.fromhex(golden(label)[0].record)
    cuts = [record[:length] for length in range(len(schema.prefix), len(record))]

    assert {outcome(everything_in(label), cut) for cut in cuts} == {UNREADABLE}


@every_schema
def test_a_record_with_something_behind_it_is_unreadable(label: str) -> None:
    record = bytes.fromhex(golden(label)[0].record)

    with pytest.raises(Unreadable, match="1 bytes follow its end"):
        everything_in(label)(record + b"\0")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"\xff" * 10, "seq holds a number of more than 64 bits"),
        (b"\xff" * 9 + b"\x02", "seq holds a number of more than 64 bits"),
        (b"\x80" * 5, "cut off in seq"),
        (bytes(21) + b"\x01", "account_id holds a text of -1 bytes"),
        (bytes(21) + b"\xfe\xff\xff\xff\xff\xff\x3f", "cut off in account_id"),
        (bytes(21) + b"\x02\xff", "account_id holds 'utf-8' codec can't decode byte 0xff"),
        (bytes(21) + b"\0\0\0\0\0\0\x04", "lease_until holds branch 2 of a choice of two"),
    ],
)
def test_damage_is_told_with_the_field_it_is_in(body: bytes, what: str) -> None:
    record = SCHEMAS["DeviceSynced.v1"].prefix + body

    with pytest.raises(Unreadable, match=f"DeviceSynced.v1: damaged record .*{what}"):
        CODEC.decode_event(record)


def test_a_truth_value_is_zero_or_one() -> None:
    record = bytes.fromhex(golden("RevokeLicense.v1")[1].record)

    with pytest.raises(Unreadable, match="all holds a truth value of 7"):
        CODEC.decode_command(record[:-3] + b"\7" + record[-2:])


@pytest.mark.parametrize(
    "count", [b"\x80\x80\x80\x80\x80\x80\x80\x80\x40", b"\xff" * 8 + b"\x3f"]
)
def test_a_claimed_length_allocates_nothing(count: bytes) -> None:
    record = bytes.fromhex(golden("LicenseIssued.v2")[1].record)[:-1] + count + bytes(100)
    tracemalloc.start()

    with pytest.raises(Unreadable):
        CODEC.decode_event(record)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_an_array_may_come_in_blocks_with_their_size_in_bytes() -> None:
    record = bytes.fromhex(golden("LicenseIssued.v2")[1].record)
    blocks = b"\x01\x04\x02a" + b"\x04\x02b\x02c" + b"\0"  # one item (of 2 bytes), then two

    event = CODEC.decode_event(record[:-1] + blocks)

    assert event == msgspec.structs.replace(
        CODEC.decode_event(record), warnings=("a", "b", "c")
    )


@quickly
@given(event=events(LicenseIssued))
def test_a_decoder_without_fields_makes_whole_events(event: LicenseIssued) -> None:
    assert CODEC.event_decoder([LicenseIssued])(CODEC.encode(event)) == event


@quickly
@given(event=events(DeviceSynced))
def test_an_event_of_another_type_is_its_seq_alone(event: DeviceSynced) -> None:
    assert CODEC.event_decoder([LicenseIssued], ["at"])(CODEC.encode(event)) == event.seq


UNREADABLE = "unreadable"


def outcome(decode: Any, record: bytes) -> Any:
    """What a decoder makes of a record; any other error than Unreadable is the test's."""
    try:
        return decode(record)
    except Unreadable:
        return UNREADABLE


@cache
def everything_in(label: str) -> Any:
    """A generated decoder of all that the writer wrote, as a dict."""
    schema = SCHEMAS[label]
    names = [field["name"] for field in schema.avro["fields"]]
    result = f"dict({', '.join(f'{name}=f_{name}' for name in names)})"
    return decoder(schema, names, result, {}, whole=True)


def plainly(schema: Schema) -> Any:
    names = [field["name"] for field in schema.avro["fields"]]
    read = reader(schema, names, whole=True)
    return lambda record: dict(zip(names, read(record), strict=True))


def damaged(data: st.DataObject, record: bytes) -> bytes:
    """A record with a few bytes changed, and perhaps its end cut off."""
    at = st.integers(10, len(record))
    changed = bytearray(record)
    for place in data.draw(st.lists(at, max_size=3)):
        changed[place : place + 1] = data.draw(st.binary(max_size=2))
    return bytes(changed[: data.draw(st.one_of(st.just(len(changed)), at))])


def later_versions(writer: Schema) -> list[Schema]:
    return [
        schema
        for schema in SCHEMAS.values()
        if schema.name == writer.name and schema.version >= writer.version
    ]


def some(event: Event, fields: set[str]) -> dict[str, Any]:
    return {
        name: value for name, value in msgspec.structs.asdict(event).items() if name in fields
    }
