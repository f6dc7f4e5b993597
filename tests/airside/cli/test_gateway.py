"""`airside gateway`: safe unless told otherwise, and clear about what is wrong."""

from pathlib import Path

import httpx
import pytest

from tests.kit.cli import Shell
from tests.kit.http_services import Service


@pytest.mark.engines
def test_without_keys_it_listens_to_this_machine_and_says_who_may_do_everything(
    tmp_path: Path,
) -> None:
    with Service(Shell(tmp_path / "data"), "gateway") as gateway:
        alive = httpx.get(f"{gateway.url}/livez", timeout=60)
        metrics = httpx.get(f"{gateway.url}/metrics", timeout=60)
        said = gateway.worker.text
    assert (alive.status_code, metrics.status_code) == (200, 200)
    assert gateway.url.startswith("http://127.0.0.1:")
    assert "NO KEYS: whoever can reach this address is an operator" in said


def test_it_does_not_let_strangers_in_without_keys(tmp_path: Path) -> None:
    ran = Shell(tmp_path / "data")("gateway", "--host", "0.0.0.0", "--port", "0")
    assert (ran.code, "Name a JWKS file with --keys" in ran.err) == (2, True)


def test_a_key_file_that_is_missing_is_named(tmp_path: Path) -> None:
    ran = Shell(tmp_path / "data")("gateway", "--port", "0", "--keys", str(tmp_path / "none"))
    assert (ran.code, str(tmp_path / "none") in ran.err) == (2, True)
