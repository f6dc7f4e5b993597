"""Read models of other code are rebuilt one after the other, each by a process of its own."""

from typing import Any

import pytest

from airside.rebuilds import RETRY_SECONDS, Rebuild, Rebuilds

BOTH: dict[str, Rebuild] = {"downloads": "promote", "titles": "build"}


class Process:
    """A replay that ends when the test says so."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.code: int | None = None
        self.is_told_to_stop = False

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.is_told_to_stop = True

    def wait(self, timeout: float | None = None) -> int:
        return -15


class Scene:
    def __init__(self) -> None:
        self.now = 0.0
        self.begun: list[Process] = []
        self.rebuilds = Rebuilds(self._start, lambda: self.now)

    def _start(self, name: str, rebuild: Rebuild) -> Any:
        self.begun.append(Process(f"{rebuild} {name}"))
        return self.begun[-1]

    def names(self) -> list[str]:
        return [process.name for process in self.begun]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_what_is_up_to_date_is_left_alone(scene: Scene) -> None:
    scene.rebuilds.look({})
    assert scene.begun == []


def test_one_is_rebuilt_at_a_time(scene: Scene) -> None:
    scene.rebuilds.look(BOTH)
    scene.rebuilds.look(BOTH)
    assert scene.names() == ["promote downloads"]
    scene.begun[0].code = 0
    scene.rebuilds.look({"titles": "build"})
    assert scene.names() == ["promote downloads", "build titles"]


def test_one_that_failed_is_tried_again_later_and_holds_up_no_other(scene: Scene) -> None:
    scene.rebuilds.look(BOTH)
    scene.begun[0].code = 1
    scene.rebuilds.look(BOTH)
    scene.begun[1].code = 0
    scene.rebuilds.look({"downloads": "promote"})
    assert scene.names() == ["promote downloads", "build titles"]
    scene.now += RETRY_SECONDS
    scene.rebuilds.look({"downloads": "promote"})
    assert scene.names() == ["promote downloads", "build titles", "promote downloads"]


def test_one_that_runs_is_stopped_with_its_projector(scene: Scene) -> None:
    scene.rebuilds.look({"downloads": "promote"})
    scene.rebuilds.close()
    assert scene.begun[0].is_told_to_stop
    scene.rebuilds.close()
