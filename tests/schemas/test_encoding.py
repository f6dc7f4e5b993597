"""The generated encoders, held to fastavro."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import CODEC
from schemas.commands import ReportPlayback
from schemas.encoding import encoder, long_bytes
from schemas.envelope import Command, Event
from schemas.errors import Invalid
from schemas.events import AccountErased, DeviceSynced
from schemas.reading import value_at
from tests.kit.avro import NEWEST, records, resolved, written
from tests.kit.messages import commands, events, longs

quickly = settings(max_examples=10, deadline=None)


@pytest.mark.parametrize("name", sorted(NEWEST))
@quickly
@given(data=st.data())
def test_a_message_is_written_byte_for_byte_as_fastavro_writes_it(
    name: str, data: st.DataObject
) -> None:
    schema = NEWEST[name]
    record = data.draw(records(schema))
    expected = written(schema, record)

    assert encoder(schema)(Fields(resolved(expected, schema, schema))) == expected


@settings(max_examples=200, deadline=None)
@given(command=commands())
def test_a_command_comes_back_as_it_was(command: Command) -> None:
    assert CODEC.decode_command(CODEC.encode(command)) == command


@settings(max_examples=200, deadline=None)
@given(event=events())
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert CODEC.decode_event(CODEC.encode(event)) == event


@settings(max_examples=200)
@given(number=longs())
def test_every_number_of_64_bits_comes_back(number: int) -> None:
    data = long_bytes(number)

    assert value_at("long", data, 0) == (number, len(data))


@pytest.mark.parametrize(
    "event",
    [
        AccountErased(command_id="a" * 32, seq=2**63),
        AccountErased(command_id="a" * 32, seq=-(2**63) - 1),
        AccountErased(command_id="a" * 31),
        AccountErased(command_id="x" * 32),
        AccountErased(command_id=" ".join("aa" for _ in range(11))),
        AccountErased(command_id="a" * 32, account_id="\ud800"),
        AccountErased(command_id="a" * 32, at=None),  # type: ignore[arg-type]
        AccountErased(command_id="a" * 32, account_id=17),  # type: ignore[arg-type]
        AccountErased(command_id=None),  # type: ignore[arg-type]
    ],
)
def test_what_the_schema_cannot_hold_is_not_written(event: Event) -> None:
    with pytest.raises(Invalid, match=r"AccountErased.*cannot be written"):
        CODEC.encode(event)


def test_a_number_is_no_text_and_a_text_no_number() -> None:
    synced = DeviceSynced(
        command_id="a" * 32,
        device_id="d1",
        held="3",  # type: ignore[arg-type]
        released=0,
        clock_skew_ms=0,
        lease_until=None,
    )

    with pytest.raises(Invalid, match="cannot be written"):
        CODEC.encode(synced)


def test_encoding_does_not_validate_ranges() -> None:
    command = ReportPlayback(
        command_id="a" * 32,
        account_id="",
        issued_at=-1,
        license_id="b" * 32,
        session_id="s1",
        started_at=0,
    )

    assert CODEC.encode(command)


class Fields:
    """A message of any fields."""

    def __init__(self, fields: dict[str, object]) -> None:
        self.__dict__.update(fields)
