"""schemathesis asks the real service everything that its OpenAPI document allows, and does not.

What is set or left out, and why: tests/schemathesis.toml.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.cli import ROOT
from tests.kit.served_history import served_history
from tests.kit.tokens import ISSUER, Issuer, bearer

CONFIGURATION = ROOT / "tests" / "schemathesis.toml"
EXAMPLES = 5  # of each kind of request; with the rest of its phases this takes half a minute
SECONDS_MAX = 280
RUN = "from schemathesis.cli import schemathesis; schemathesis()"


@pytest.mark.engines
@pytest.mark.timeout(2 * SECONDS_MAX)
def test_the_service_keeps_what_its_document_promises(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    keys = ["--keys", str(issuer.file), "--issuer", ISSUER, "--rate", "0"]
    with served_history(tmp_path / "data", *keys) as (_, client, _):
        token = bearer(issuer.token(scope="operator"))["Authorization"]
        options = ["--max-examples", str(EXAMPLES), "--seed", "1", "--no-shrink"]
        options += ["--workers", "2", "--warnings", "off", "--no-color"]
        ran = subprocess.run(
            [
                *(sys.executable, "-c", RUN, "--config-file", str(CONFIGURATION), "run"),
                f"{client.base_url}/openapi.json",
                *(*options, "--header", f"Authorization: {token}"),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,  # where it keeps what it finds
            timeout=SECONDS_MAX,
            check=False,
        )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "No issues found" in ran.stdout, ran.stdout
