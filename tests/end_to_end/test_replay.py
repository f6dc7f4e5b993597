"""Replays as people run them: interrupted, killed, two at a time, under queries, and back."""

import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from airside.settings import Settings
from airside.wiring import open_deployment
from projectors.generations import building, listed, standby
from projectors.view_store import Generation, Registry
from queries.downloads import downloads
from tests.kit.cli import CATALOG, Ran, Shell, Worker, up
from tests.kit.dying_replay import PROGRAM, trapped
from tests.kit.witness import wait_until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]

ACCOUNTS = 40
KILLED = -9


@pytest.fixture(scope="module")
def lived(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with some events in every shard, and nobody at work on it."""
    data = tmp_path_factory.mktemp("lived") / "data"
    shell = Shell(data)
    with up(data):
        assert shell("catalog", "load", str(CATALOG)).code == 0
        lines = [
            f'{{"type":"{kind}","account_id":"a{n}"{fields}}}'
            for kind, fields in (
                ("OpenAccount", ',"plan_id":"premium","country":"DE"'),
                ("RegisterDevice", ',"device_id":"d1"'),
                ("AcquireLicense", ',"device_id":"d1","title_id":"t1"'),
                ("AcquireLicense", ',"device_id":"d1","title_id":"t2"'),
            )
            for n in range(ACCOUNTS)
        ]
        sent = shell("send", "--file", "-", "--wait", stdin="\n".join(lines).encode())
        assert sent.code in (0, 3), sent.err
        wait_until("it is folded", lambda: lag(shell) == 0)
    return data


@pytest.fixture
def shell(lived: Path, tmp_path: Path) -> Shell:
    """A copy of it."""
    shutil.copytree(lived, tmp_path / "data")
    return Shell(tmp_path / "data")


def lag(shell: Shell) -> int:
    """What is not handled or not folded yet."""
    found = shell("projections", "--json").json
    lags: list[int] = [one["lag_events"] for one in found["projections"]]
    waiting: int = found["waiting"]["commands"]
    return waiting + sum(lags)


def registry(shell: Shell) -> Registry:
    with (
        open_deployment(Settings(data=shell.data)) as deployment,
        deployment.view_store() as views,
    ):
        return views.registry("downloads")


def struck(shell: Shell, who: str, what: object, *options: str) -> Ran:
    """A replay of downloads with a trap in it."""
    done = subprocess.run(
        [*PROGRAM, "replay", "downloads", "--json", *options],
        env=shell.environment | trapped(who, what),
        capture_output=True,
        timeout=100,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_replay_that_was_killed_goes_on_where_it_stopped(shell: Shell) -> None:
    with up(shell.data):
        assert struck(shell, "parent", 5, "--processes", "1").code == KILLED
        begun = building(registry(shell))
        done = shell("replay", "downloads", "--json")
    assert begun is not None
    assert done.code == 0, done.err
    assert done.json["rebuilt"]["number"] == begun.number
    assert 0 < done.json["folded"] < done.json["events"]
    assert done.json["verification"]["different"] == 0


def test_shards_are_built_by_several_processes(shell: Shell) -> None:
    done = shell("replay", "downloads", "--processes", "3", "--json")
    assert done.code == 0, done.err
    assert done.json["verification"]["different"] == 0
    assert done.json["verification"]["rows"] == ACCOUNTS
    assert listed(registry(shell)) == "1 (standby), 2 (serving)"


def test_a_process_that_dies_is_named_and_the_same_replay_goes_on(shell: Shell) -> None:
    with up(shell.data):
        died = struck(shell, "child", 3, "--processes", "2")
        done = shell("replay", "downloads", "--processes", "2", "--json")
    assert died.code == 1
    assert "ended with exit code -9. Nothing is lost" in died.err
    assert done.code == 0, done.err
    assert 0 < done.json["folded"] < done.json["events"]
    assert done.json["verification"]["different"] == 0


def test_the_second_of_two_people_is_told(shell: Shell, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.touch()
    with up(shell.data), ThreadPoolExecutor(1) as threads:
        first = threads.submit(struck, shell, "slow", slow, "--processes", "1")
        wait_until("it has begun", lambda: building(registry(shell)) is not None)
        second = shell("replay", "downloads")
        slow.unlink()
        assert first.result().code == 0, first.result().err
    assert second.code == 1
    assert "downloads is being rebuilt by process" in second.err


class Asking:
    """One client that asks for one account's row, over and over, and keeps every version."""

    def __init__(self, shell: Shell) -> None:
        self.versions: list[int] = []
        self.generations: set[str] = set()
        self._shell, self._stop = shell, threading.Event()

    @contextmanager
    def __call__(self) -> Iterator["Asking"]:
        """Ask until the block ends. Raises: what any of the questions raised."""
        with ThreadPoolExecutor(1) as threads:
            asking = threads.submit(self._ask)
            try:
                yield self
            finally:
                self._stop.set()
        asking.result()

    def _ask(self) -> None:
        with (
            open_deployment(Settings(data=self._shell.data)) as deployment,
            deployment.reader() as reader,
        ):
            while not self._stop.is_set():
                standing = downloads(reader, "a1", at=deployment.clock()).standing
                assert standing is not None
                self.versions.append(standing.version)
                self.generations.add(standing.generation)


def send_some(shell: Shell, titles: Sequence[int]) -> None:
    for n in titles:
        shell.send("AcquireLicense", "account_id=a1", "device_id=d1", f"title_id=t{n}")


def test_queries_never_fail_nor_go_back_while_generations_are_built_served_and_rolled_back(
    shell: Shell,
) -> None:
    with up(shell.data), Asking(shell)() as asking:
        for n in range(2):
            assert shell("replay", "downloads").code == 0
            send_some(shell, range(10 + n, 12 + n))
            assert shell("projections", "rollback", "downloads").code == 0
            send_some(shell, range(20 + n, 22 + n))
    assert len(asking.generations) > 2
    assert len(set(asking.versions)) > 4, "meanwhile there was something new"
    assert asking.versions == sorted(asking.versions)


def test_what_is_only_built_is_kept_up_to_date_until_it_is_served(shell: Shell) -> None:
    with up(shell.data):
        assert shell("replay", "downloads", "--no-promote").code == 0
        assert listed(registry(shell)) == "1 (serving), 2 (ready)"
        send_some(shell, [30])
        wait_until("both are folded", lambda: lag(shell) == 0)
        promoted = shell("projections", "promote", "downloads")
        assert promoted.out == "downloads.2 is served now; downloads.1 stands by.\n"
        assert shell.ask("downloads", "a1")["standing"]["generation"] == "downloads.2"
        assert shell("projections", "retire", "downloads").code == 0
    assert standby(registry(shell)) is None


def test_read_models_of_other_code_are_rebuilt_and_served_while_they_are_asked(
    shell: Shell,
) -> None:
    other_code(shell)
    with up(shell.data), Asking(shell)() as asking:
        wait_until(
            "a new one is served", lambda: listed(registry(shell)) == "1 (standby), 2 (serving)"
        )
        send_some(shell, [31])
        wait_until("it is asked", lambda: "downloads.2" in asking.generations)
    assert asking.versions == sorted(asking.versions)


def test_of_several_projectors_one_rebuilds(shell: Shell) -> None:
    other_code(shell)
    workers = [shell.start("project"), shell.start("project"), shell.start("project")]
    try:
        served = "1 (standby), 2 (serving)"
        wait_until("a new one is served", lambda: listed(registry(shell)) == served)
        wait_until(
            "all of them have tried", lambda: all(has_tried(worker) for worker in workers)
        )
    finally:
        codes = [worker.stop() for worker in workers]
    assert codes == [0, 0, 0]
    assert listed(registry(shell)) == served


def has_tried(worker: Worker) -> bool:
    """Its rebuild has ended, or it never began one since another's was served already."""
    began = "downloads was built by other code and is not written" in worker.text
    return not began or "airside.rebuilds downloads:" in worker.text


def test_a_rebuild_may_wait_for_a_person(shell: Shell) -> None:
    other_code(shell)
    worker: Worker = shell.start("up", "--rebuild", "build")
    try:
        ready = "1 (serving), 2 (ready)"
        wait_until("a new one is ready", lambda: listed(registry(shell)) == ready)
        assert shell("projections", "promote", "downloads").code == 0
    finally:
        worker.stop()
    assert "downloads was built by other code" in worker.text


def other_code(shell: Shell) -> None:
    """As if another version of airside had built the downloads that are served."""
    with (
        open_deployment(Settings(data=shell.data)) as deployment,
        deployment.view_store() as views,
    ):
        found = views.registry("downloads")
        built = tuple(older(one) for one in found.generations)
        changed = msgspec.structs.replace(found, generations=built, served=())
        views.change_registry("downloads", found.revision, changed)


def older(generation: Generation) -> Generation:
    return msgspec.structs.replace(generation, fingerprint="0123456789abcdef")
