"""Read models of other code are rebuilt one after the other, each by a process of its own."""

from typing import Any

import pytest

from airside.rebuilds import RETRY_SECONDS, Rebuilds


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

    def _start(self, name: str) -> Any:
        self.begun.append(Process(name))
        return self.begun[-1]

    def names(self) -> list[str]:
        return [process.name for process in self.begun]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_what_is_up_to_date_is_left_alone(scene: Scene) -> None:
    scene.rebuilds.look([])
    assert scene.begun == []


def test_one_is_rebuilt_at_a_time(scene: Scene) -> None:
    scene.rebuilds.look(["downloads", "titles"])
    scene.rebuilds.look(["downloads", "titles"])
    assert scene.names() == ["downloads"]
    scene.begun[0].code = 0
    scene.rebuilds.look(["titles"])
    assert scene.names() == ["downloads", "titles"]


def test_one_that_failed_is_tried_again_later_and_holds_up_no_other(scene: Scene) -> None:
    scene.rebuilds.look(["downloads", "titles"])
    scene.begun[0].code = 1
    scene.rebuilds.look(["downloads", "titles"])
    scene.begun[1].code = 0
    scene.rebuilds.look(["downloads"])
    assert scene.names() == ["downloads", "titles"]
    scene.now += RETRY_SECONDS
    scene.rebuilds.look(["downloads"])
    assert scene.names() == ["downloads", "titles", "downloads"]


def test_one_that_runs_is_stopped_with_its_projector(scene: Scene) -> None:
    scene.rebuilds.look(["downloads"])
    scene.rebuilds.close()
    assert scene.begun[0].is_told_to_stop
    scene.rebuilds.close()
