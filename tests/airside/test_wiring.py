"""A deployment is made of settings, or says why not."""

import os
import signal
from pathlib import Path

import pytest

from airside.settings import Settings
from airside.wiring import open_deployment
from schemas.errors import Unavailable
from tests.contracts.view_store import ONE, START, G


def test_a_file_in_the_way_of_the_data_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with (
        pytest.raises(Unavailable, match=r"data cannot be made: File exists"),
        open_deployment(Settings(data=tmp_path / "data")),
    ):
        pass


@pytest.mark.engines
def test_a_killed_server_is_revived_under_a_connected_store(tmp_path: Path) -> None:
    with (
        open_deployment(Settings(data=tmp_path)) as deployment,
        deployment.view_store() as store,
    ):
        store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
        pid = int((tmp_path / "valkey" / "server.lock").read_text(encoding="utf-8"))
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Unavailable):
            store.rows(G, 0, ["a"])
        deployment.revive()
        found = store.rows(G, 0, ["a"])
    assert (found.checkpoint, found.rows) == (ONE, {"a": b"1"})
