"""How every connection to the file is set up."""

from contextlib import closing
from pathlib import Path

from airside.adapters.sqlite_file import connect


def test_every_connection_checkpoints_every_16_mb(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "file.sqlite")) as connection:
        assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (4_000,)
