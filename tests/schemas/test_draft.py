"""Drafting and freezing schema files, in a folder of their own."""

import shutil
from pathlib import Path

import msgspec
import pytest

from schemas import draft as drafting
from schemas.draft import draft, freeze, frozen, main, write_draft
from schemas.errors import Contradiction, Invalid, NotFound
from schemas.events import DeviceRegistered, LicenseIssued
from schemas.registry import AVRO, load_schemas


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of all released schemas."""
    return Path(shutil.copytree(AVRO, tmp_path / "avro"))


def test_the_next_version_is_drafted_beside_the_frozen_ones(folder: Path) -> None:
    (folder / "event/LicenseIssued.v2.avsc").unlink()

    path = write_draft("LicenseIssued", folder)

    assert path == folder / "event/LicenseIssued.v2.avsc"
    assert msgspec.json.decode(path.read_bytes()) == draft(LicenseIssued)


def test_a_draft_that_is_not_frozen_yet_may_be_drafted_again(folder: Path) -> None:
    (folder / "event/LicenseIssued.v2.avsc").rename(folder / "event/LicenseIssued.v3.avsc")
    (folder / "event/LicenseIssued.v3.avsc").write_bytes(
        (folder / "event/LicenseIssued.v1.avsc").read_bytes()
    )

    assert write_draft("LicenseIssued", folder).name == "LicenseIssued.v3.avsc"


def test_the_first_version_is_number_one(folder: Path) -> None:
    (folder / "command/RenewDevice.v1.avsc").unlink()

    assert write_draft("RenewDevice", folder) == folder / "command/RenewDevice.v1.avsc"


def test_nothing_is_drafted_where_the_newest_version_has_the_same_fields(folder: Path) -> None:
    with pytest.raises(Invalid, match=r"LicenseIssued\.v2: has these fields already"):
        write_draft("LicenseIssued", folder)


def test_an_unknown_class_is_told_with_the_closest(folder: Path) -> None:
    with pytest.raises(
        NotFound, match=r"LicenceIssued: no command or event class.* LicenseIssu"
    ):
        write_draft("LicenceIssued", folder)


def test_freezing_takes_only_what_is_new(folder: Path) -> None:
    before = frozen(folder)
    (folder / "event/LicenseIssued.v3.avsc").write_bytes(
        (folder / "event/LicenseIssued.v2.avsc").read_bytes()
    )

    assert freeze(folder) == ["event/LicenseIssued.v3.avsc"]
    assert frozen(folder).items() > before.items()
    assert freeze(folder) == []


def test_a_file_of_another_message_is_refused(folder: Path) -> None:
    path = folder / "event/LicenseIssued.v2.avsc"
    path.rename(path.with_name("LicenseRenewed.v2.avsc"))

    with pytest.raises(Contradiction, match=r"holds airside\.event\.LicenseIssued"):
        load_schemas(folder)


def test_a_file_without_a_version_is_refused(folder: Path) -> None:
    path = folder / "event/LicenseIssued.v2.avsc"
    path.rename(path.with_name("LicenseIssued.avsc"))

    with pytest.raises(Contradiction, match=r"Call it <Name>\.v<N>\.avsc"):
        load_schemas(folder)


def test_a_draft_begins_with_the_envelope_and_carries_docs_and_logical_types() -> None:
    fields = {field["name"]: field for field in draft(DeviceRegistered)["fields"]}

    assert list(fields)[:3] == ["seq", "version", "at"]
    assert fields["seq"]["doc"] == "1, 2, 3 … within the shard"
    assert fields["security_level"]["type"] == "long"
    assert fields["lease_until"] == {
        "name": "lease_until",
        "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}],
        "default": None,
        "doc": "R23; None: no lease",
    }


def test_a_type_that_avro_has_no_word_for_is_refused() -> None:
    with pytest.raises(TypeError, match="Add one to draft"):
        drafting._type(msgspec.inspect.FloatType(), "half")


def test_the_command_line_tells_an_error_as_a_sentence() -> None:
    assert "has these fields already" in main(["LicenseIssued"])
    assert "no command or event class" in main(["Nonsense"])


def test_the_command_line_explains_itself() -> None:
    assert "python -m schemas.draft --freeze" in main([])
