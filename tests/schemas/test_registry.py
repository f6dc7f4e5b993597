"""The schema files: frozen, different from each other, and true to today's classes."""

import hashlib
from typing import Any

import msgspec
import pytest

from schemas import upcasts
from schemas.draft import ENVELOPES, draft, frozen
from schemas.envelope import Command, Event
from schemas.registry import (
    AVRO,
    COMMAND_TYPES,
    EVENT_TYPES,
    avro_fingerprint,
    load_schemas,
    newest_of,
)

SCHEMAS = load_schemas()
NEWEST = newest_of(SCHEMAS)
RETIRED = {cls.__name__: cls for cls in upcasts.UPCASTS}
CLASSES: dict[str, type[Command] | type[Event]] = {**COMMAND_TYPES, **EVENT_TYPES, **RETIRED}


@pytest.mark.parametrize("path", sorted(frozen()))
def test_a_frozen_schema_file_never_changes(path: str) -> None:
    assert hashlib.sha256((AVRO / path).read_bytes()).hexdigest() == frozen()[path]


def test_every_schema_file_is_frozen() -> None:
    assert {schema.path for schema in SCHEMAS} == set(frozen()), (
        "a file without digest: python -m schemas.draft --freeze"
    )


def test_every_file_in_the_folder_is_a_schema() -> None:
    files = {str(path.relative_to(AVRO)) for path in AVRO.rglob("*") if path.is_file()}

    assert files == {schema.path for schema in SCHEMAS} | {"frozen.json"}


def test_no_two_schemas_have_the_same_fingerprint() -> None:
    assert len({schema.fingerprint for schema in SCHEMAS}) == len(SCHEMAS)


def test_every_message_has_a_schema_and_every_schema_a_message() -> None:
    assert {schema.name for schema in SCHEMAS} == set(CLASSES)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_newest_version_says_what_the_class_says(name: str) -> None:
    assert without_docs(NEWEST[name].avro) == without_docs(draft(CLASSES[name])), (
        f"{name} has changed: python -m schemas.draft {name}"
    )


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.label)
def test_every_version_begins_with_the_same_envelope(schema: Any) -> None:
    base = Command if schema.kind == "command" else Event
    envelope = ENVELOPES[base]
    fields = schema.avro["fields"][: len(envelope)]

    assert [(field["name"], plain(field["type"])) for field in fields] == [
        (name, ENVELOPE_TYPES[name]) for name in envelope
    ]


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_versions_are_numbered_from_one_without_a_gap(name: str) -> None:
    versions = [schema.version for schema in SCHEMAS if schema.name == name]

    assert versions == list(range(1, len(versions) + 1))


def test_evolution_is_real_from_the_first_day() -> None:
    assert NEWEST["AcquireLicense"].version >= 2
    assert NEWEST["LicenseIssued"].version >= 2
    assert "DownloadCompleted" in RETIRED


# Apache Avro's own table, share/test/data/schema-tests.txt.
@pytest.mark.parametrize(
    ("text", "crc"),
    [
        ('"null"', 7195948357588979594),
        ('"boolean"', -6970731678124411036),
        ('"int"', 8247732601305521295),
        ('"long"', -3434872931120570953),
        ('"string"', -8142146995180207161),
        (
            '{"fields":[], "type":"record", "name":"foo", "namespace":"x.y"}',
            5916914534497305771,
        ),
        (
            '{"fields":[{"type":{"type":"boolean"}, "name":"f1"}],'
            '"type":"record", "name":"foo"}',
            7843277075252814651,
        ),
        (
            '{"namespace":"x.y.z", "type":"fixed", "name":"foo", "doc":"foo bar", "size":32}',
            -3064184465700546786,
        ),
        (
            '{"name":"PigValue","type":"record",'
            '"fields":[{"name":"value", "type":["null", "int", "long", "PigValue"]}]}',
            -1759257747318642341,
        ),
    ],
)
def test_fingerprints_are_the_ones_of_avros_own_table(text: str, crc: int) -> None:
    found = avro_fingerprint(msgspec.json.decode(text))

    assert int.from_bytes(found, "little", signed=True) == crc


ENVELOPE_TYPES = {
    "seq": "long",
    "version": "long",
    "at": "timestamp-millis",
    "issued_at": "timestamp-millis",
    "catalog_version": "long",
    "command_id": "uuid",
    "account_id": "string",
    "actor": "string",
}


def plain(avro: Any) -> Any:
    return avro["logicalType"] if isinstance(avro, dict) else avro


def without_docs(avro: Any) -> Any:
    match avro:
        case dict():
            return {key: without_docs(value) for key, value in avro.items() if key != "doc"}
        case list():
            return [without_docs(item) for item in avro]
        case _:
            return avro
