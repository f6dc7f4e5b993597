"""`airside keygen`."""

import stat
from pathlib import Path

from airside.documents.keys import load_keys
from tests.kit.cli import Shell


def test_it_writes_a_key_and_prints_what_may_be_known_of_it(tmp_path: Path) -> None:
    file, shell = tmp_path / "signing.json", Shell(tmp_path / "data")
    ran = shell("keygen", str(file))
    assert (ran.code, ran.json) == (0, load_keys(file).jwks())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not shell.data.exists()


def test_it_writes_over_no_key_and_adds_one_where_that_is_said(tmp_path: Path) -> None:
    file, shell = tmp_path / "signing.json", Shell(tmp_path / "data")
    first = shell("keygen", str(file)).json["keys"]
    refused = shell("keygen", str(file))
    added = shell("keygen", str(file), "--add")
    assert (refused.code, "--add" in refused.err) == (2, True)
    assert added.json["keys"][1:] == first
