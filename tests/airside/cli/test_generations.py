"""What `promote`, `rollback` and `retire` refuse, and what they say."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from airside.cli.main import main
from airside.settings import Settings
from airside.wiring import Deployment, open_deployment
from projectors.all import PROJECTIONS
from projectors.builds import follow, note_verified, start_build
from projectors.fingerprint import fold_fingerprint
from projectors.generations import ensure_serving, listed, promote, serving
from projectors.view_store import Checkpoint, Generation, Verified, ViewStore
from schemas.codec import CODEC

pytestmark = pytest.mark.engines

NAME = "downloads"
FINGERPRINT = fold_fingerprint(next(p for p in PROJECTIONS if p.name == NAME), CODEC)


class Desk:
    """A deployment with one served generation, in a Valkey of its own."""

    def __init__(self, deployment: Deployment, views: ViewStore) -> None:
        self.deployment, self.views = deployment, views
        self.first = serving(
            ensure_serving(views, NAME, fingerprint=FINGERPRINT, shards=8, now_at=1)
        )

    def ready(self, fingerprint: str = FINGERPRINT) -> Generation:
        built = start_build(self.views, NAME, fingerprint=fingerprint, now_at=2)
        return follow(self.views, built, now_at=3)

    def folded(self, generation: Generation, seq: int) -> None:
        self.views.save(
            generation, 0, expected=Checkpoint(), checkpoint=Checkpoint(seq), rows={}
        )

    def run(self, *words: str) -> Result:
        settings = self.deployment.settings
        options = ["--data", str(settings.data), "projections", words[0], NAME, *words[1:]]
        return CliRunner().invoke(main, options)

    def listed(self) -> str:
        return listed(self.views.registry(NAME))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with (
        open_deployment(Settings(data=tmp_path)) as deployment,
        deployment.view_store() as views,
    ):
        yield Desk(deployment, views)


def test_what_is_ready_is_promoted_and_rolled_back_and_retired(desk: Desk) -> None:
    desk.ready()
    assert desk.run("promote").output == "downloads.2 is served now; downloads.1 stands by.\n"
    assert desk.run("promote", "2").output == "downloads.2 is served already.\n"
    assert desk.run("rollback").output == "downloads.1 is served now; downloads.2 stands by.\n"
    assert desk.run("retire").output == "downloads.2 is retired, its rows are gone.\n"
    assert desk.listed() == "1 (serving)"


def test_one_that_differed_is_promoted_only_if_that_is_accepted(desk: Desk) -> None:
    note_verified(desk.views, desk.ready(), Verified(at=0, rows=40, different=3))
    refused = desk.run("promote")
    assert refused.exit_code == 2
    assert "downloads.2 is not served, since 3 of its rows differed at 1970" in refused.output
    assert desk.listed() == "1 (serving), 2 (ready)"
    assert desk.run("promote", "--accept").exit_code == 0
    assert desk.listed() == "1 (standby), 2 (serving)"


def test_differences_that_were_accepted_when_it_was_built_are_no_reason(desk: Desk) -> None:
    found = Verified(at=0, rows=40, different=3, accepted=True)
    note_verified(desk.views, desk.ready(), found)
    assert desk.run("promote").exit_code == 0


def test_one_that_is_far_behind_is_not_promoted(desk: Desk) -> None:
    desk.ready()
    desk.folded(desk.first, 20_000)
    refused = desk.run("promote")
    assert refused.exit_code == 2
    assert "since it is 20,000 events behind. Serve it all the same" in refused.output


def test_one_of_other_code_that_stands_still_is_not_rolled_back_to(desk: Desk) -> None:
    other = desk.ready("other")
    promote(desk.views, other, serving=1, now_at=4)
    promote(desk.views, desk.first, serving=other.number, now_at=5)
    desk.folded(desk.first, 7)
    refused = desk.run("rollback")
    assert refused.exit_code == 2
    assert (
        "built by other code (other), is 7 events behind, and only workers of that code"
        in refused.output
    )


def test_one_that_is_not_whole_is_not_promoted(desk: Desk) -> None:
    start_build(desk.views, NAME, fingerprint=FINGERPRINT, now_at=2)
    refused = desk.run("promote", "2")
    assert "downloads.2 is not whole yet. Finish it: airside replay downloads" in refused.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("promote",), "no generation is ready. There is: 1 (serving). Build one: airside"),
        (("promote", "9"), "no generation 9. There is: 1 (serving)."),
        (("rollback",), "no generation stands by to roll back to."),
        (("retire",), "no generation stands by. There is: 1 (serving)."),
        (("retire", "1"), "downloads.1 is served. Promote another one first."),
    ],
)
def test_what_cannot_be_done_says_what_there_is(
    desk: Desk, words: tuple[str, ...], said: str
) -> None:
    refused = desk.run(*words)
    assert refused.exit_code != 0
    assert said in refused.output
    assert desk.listed() == "1 (serving)"


@pytest.mark.parametrize("name", ["0", "-", "downloads.9", "past"])
def test_a_generation_that_is_not_there_is_no_other_one(desk: Desk, name: str) -> None:
    refused = desk.run("promote", name)
    assert (refused.exit_code, f"no generation {name}" in refused.output) == (1, True)


@pytest.mark.parametrize("words", [("promote",), ("rollback",), ("retire", "2"), ("verify",)])
def test_read_models_of_another_history_are_left_alone(
    desk: Desk, words: tuple[str, ...]
) -> None:
    ready = desk.ready()
    found = desk.views.registry(NAME)
    desk.views.change_registry(NAME, found.revision, structs.replace(found, history="other"))
    refused = desk.run(*words)
    assert refused.exit_code == 2
    assert "the read models are of history other, the events of history" in refused.output
    assert ready in desk.views.registry(NAME).generations
