"""`airside projections verify` beside working roles, and after somebody was at the server."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from airside.adapters.redis_servers import connect
from airside.settings import Settings
from airside.wiring import Deployment, open_deployment
from projectors.generations import serving
from schemas.record import shard_of
from tests.kit.cli import CATALOG, Shell, up

pytestmark = pytest.mark.engines

SHARD = shard_of("a1", 8)
SPOILED = b'{"spoiled":true}'
VERIFY = ("projections", "verify", "devices")


@pytest.fixture(scope="module")
def lived(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an account and its device, verified while roles were at work."""
    data = tmp_path_factory.mktemp("lived") / "data"
    shell = Shell(data)
    with up(data):
        assert shell("catalog", "load", str(CATALOG)).code == 0
        shell.send("OpenAccount", "account_id=a1", "plan_id=standard", "country=DE")
        sent = shell.send("RegisterDevice", "account_id=a1", "device_id=d1")
        assert shell.ask("devices", "a1", "--min-version", sent["token"])["standing"]["fresh"]
        everything = shell("projections", "verify")
    assert everything.code == 0, everything.err
    assert everything.out.splitlines()[-1].endswith(" rows are what their digests say")
    return data


@pytest.fixture
def shell(lived: Path, tmp_path: Path) -> Shell:
    """A copy of it."""
    shutil.copytree(lived, tmp_path / "data")
    return Shell(tmp_path / "data")


@pytest.fixture
def deployment(shell: Shell) -> Iterator[Deployment]:
    with open_deployment(Settings(data=shell.data)) as deployment:
        yield deployment


@pytest.fixture
def client(deployment: Deployment) -> Iterator[redis.Redis]:
    """The server of the read models, as somebody with `valkey-cli` has it."""
    with connect(deployment.views_url(), timeout_seconds=5.0) as client:
        yield client
        client.connection_pool.disconnect()


def hash_of(deployment: Deployment, part: str, projection: str = "devices") -> str:
    with deployment.view_store() as views:
        number = serving(views.registry(projection)).number
    return f"airside:{{{projection}.{number}.{SHARD}}}:{part}"


def test_the_last_verification_is_shown_with_the_projections(shell: Shell) -> None:
    found = shell("projections", "--json").json["projections"]
    assert {one["verified"]["different"] for one in found} == {0}
    assert {one["verified"]["rows"] == one["rows"] for one in found} == {True}


def test_a_row_changed_in_the_server_is_named_and_healed_by_what_is_said(
    shell: Shell, deployment: Deployment, client: redis.Redis
) -> None:
    right: Any = client.hget(hash_of(deployment, "rows"), "a1")
    client.hset(hash_of(deployment, "rows"), "a1", SPOILED)
    people, programs = shell(*VERIFY), shell(*VERIFY, "--shard", str(SHARD), "--json")
    assert (people.code, programs.code) == (5, 5)
    assert people.out.splitlines()[-1] == "1 rows, differences: 1"
    (row,) = programs.json["rows"]
    assert (row["row"], row["found"], row["wanted"]) == ("a1", SPOILED.decode(), right.decode())
    assert row["heal"] == "airside replay devices --account a1"
    assert f"to mend it: {row['heal']}" in people.out
    assert shell(*row["heal"].split()[1:]).code == 0
    assert client.hget(hash_of(deployment, "rows"), "a1") == right
    assert shell(*VERIFY).code == 0


def test_a_forged_digest_is_found_and_healed_by_what_is_said(
    shell: Shell, deployment: Deployment, client: redis.Redis
) -> None:
    client.hset(hash_of(deployment, "checkpoint"), "digest", f"{5:032x}")
    found = shell(*VERIFY, "--json")
    assert found.code == 5
    (row,) = found.json["rows"]
    assert row["row"] == "(the digest kept beside the rows)"
    assert row["found"] == f"{5:032x}"
    assert row["heal"] == f"airside replay devices --partition {SHARD}"
    assert shell(*row["heal"].split()[1:]).code == 0
    assert shell(*VERIFY).code == 0


def test_a_row_that_no_event_made_is_healed_with_its_partition(
    shell: Shell, deployment: Deployment, client: redis.Redis
) -> None:
    client.hset(hash_of(deployment, "rows"), "nobody", SPOILED)
    (row,) = shell(*VERIFY, "--json").json["rows"]
    assert (row["found"], row["wanted"]) == (SPOILED.decode(), None)
    assert row["heal"] == f"airside replay devices --partition {SHARD}"


def test_a_row_is_healed_with_the_account_that_its_key_begins_with(
    shell: Shell, deployment: Deployment, client: redis.Redis
) -> None:
    rows = hash_of(deployment, "rows", "outcomes")
    client.hset(rows, client.hkeys(rows)[0], SPOILED)
    (row,) = shell("projections", "verify", "outcomes", "--json").json["rows"]
    assert row["row"].startswith("a1/")
    assert row["heal"] == "airside replay outcomes --account a1"


def test_many_rows_of_a_shard_are_healed_with_their_partition(
    shell: Shell, deployment: Deployment, client: redis.Redis
) -> None:
    keys = ["a1", *(f"ghost-{n}" for n in range(5))]
    client.hset(
        hash_of(deployment, "rows"), items=[word for k in keys for word in (k, SPOILED)]
    )
    rows = shell(*VERIFY, "--json").json["rows"]
    healing = f"airside replay devices --partition {SHARD}"
    assert [one["heal"] for one in rows] == [healing] * 6


def test_what_is_not_there_is_said_with_what_there_is(shell: Shell) -> None:
    no_generation = shell(*VERIFY, "--generation", "77")
    no_projection = shell("projections", "verify", "--generation", "1")
    assert (no_generation.code, no_projection.code) == (1, 2)
    assert "devices has no generation 77. There is: 1 (serving)" in no_generation.err
    assert "airside projections verify NAME" in no_projection.err
