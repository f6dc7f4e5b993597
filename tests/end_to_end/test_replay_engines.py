"""Replays on the real engines, under load: killed, from either source, and equal to live."""

import subprocess
from collections.abc import Iterator
from signal import SIGKILL

import pytest

from projectors.generations import listed
from stack.cassandra import CassandraNode
from stack.kafka import KafkaBroker
from stack.valkey import ValkeyServer
from tests.kit.cli import Ran, Shell, at_work
from tests.kit.dying_replay import PROGRAM, trapped
from tests.kit.engines import on_engines, running
from tests.kit.load import Load, under_load

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

SHARDS = 4


@pytest.fixture(scope="module")
def shell(
    cassandra: CassandraNode, kafka: KafkaBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    directory = tmp_path_factory.mktemp("replay")
    with running(ValkeyServer(directory / "valkey")) as views:
        yield on_engines(
            directory / "data",
            events=f"cassandra://{cassandra.address}",
            log=kafka.url,
            views=views.url,
            shards=SHARDS,
        )


def struck(shell: Shell, who: str, *options: str) -> Ran:
    """A replay that is killed at one of its first batches."""
    done = subprocess.run(
        [*PROGRAM, "replay", *options],
        env=shell.environment | trapped(who, 2),
        capture_output=True,
        timeout=100,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def roles_of(load: Load, projection: str) -> str:
    with load.deployment.view_store() as views:
        return listed(views.registry(projection))


@pytest.mark.parametrize("source", ["topic", "store"])
def test_a_replay_that_is_killed_under_load_ends_up_equal_to_live(
    shell: Shell, source: str
) -> None:
    with under_load(shell) as load, at_work(shell, "handle", "project"):
        with load.running():
            load.seen.sees_progress()
            options = ("titles", "--from", source, "--no-promote")
            killed = struck(shell, "parent", *options, "--processes", "1")
            died = struck(shell, "child", *options, "--processes", "2")
            done = shell("replay", *options, "--processes", "2", "--max-lag", "30", "--json")
            promoted = shell("projections", "promote", "titles")
            load.seen.sees_progress()
        assert load.finish() > 0  # every generation equals the history
        assert "(ready)" not in roles_of(load, "titles")
        verified = shell("projections", "verify", "titles")
    assert killed.code == -SIGKILL, killed.err
    assert died.code == 1, died.err
    assert done.code == 0, done.err
    assert done.json["verification"]["different"] == 0
    assert done.json["rebuilt"]["source"] == source
    assert promoted.code == 0, promoted.err
    assert verified.code == 0, verified.err
