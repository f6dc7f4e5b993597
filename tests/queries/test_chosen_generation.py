"""A reader may be given another generation than the served one, by its number or its label."""

import time

import pytest

from projectors import downloads, titles
from projectors.downloads import Downloads
from projectors.view_store import Checkpoint, Generation, Registry
from queries.reader import AtLeast, Reader, store_reader
from schemas import events
from schemas.errors import NotFound, Unavailable
from schemas.record import shard_of
from tests.kit.happenings import NOW, happened, history, issued
from tests.kit.served import Served

SHARD = shard_of("a1", 4)
NAME = downloads.PROJECTION.name
SCRATCH = Generation(NAME, 7, "f", 1, followed_at=2, label="scratch", as_of=NOW + 3)


@pytest.fixture
def served() -> Served:
    """The first generation is served; the label `scratch` is that of an older look."""
    served = Served()
    served.happened(history(happened(events.AccountOpened), issued(at=NOW + 5)))
    keep(served, SCRATCH)
    rows = {"a1": b'{"version":1}'}
    looked_at = Checkpoint(1, 1, NOW)
    served.store.save(SCRATCH, SHARD, expected=Checkpoint(), checkpoint=looked_at, rows=rows)
    return served


def keep(served: Served, generation: Generation) -> None:
    """The projection has this generation too, or it is changed."""
    before = served.store.registry(generation.projection)
    others = tuple(g for g in before.generations if g.number != generation.number)
    changed = Registry(serving=before.serving, generations=(*others, generation))
    served.store.change_registry(generation.projection, before.revision, changed)


def reader(served: Served, generation: str | None) -> Reader:
    return store_reader(
        served.store, 4, monotonic=time.monotonic, sleep=time.sleep, generation=generation
    )


def row(reader: Reader) -> Downloads:
    return reader.of_account(downloads.PROJECTION, "a1", ("a1",)).rows["a1"]


@pytest.mark.parametrize("name", ["scratch", "7"])
def test_it_is_read_by_its_label_and_by_its_number(served: Served, name: str) -> None:
    assert row(reader(served, name)).version == 1
    assert row(reader(served, "1")).version == row(served.reader).version == 2


def test_its_answers_are_as_of_its_instant(served: Served) -> None:
    chosen = reader(served, "scratch")
    standing = chosen.of_account(downloads.PROJECTION, "a1", ("a1",)).standing
    assert (standing.as_of, standing.generation) == (NOW + 3, "downloads@scratch")
    assert chosen.moment(NAME, NOW + 99) == NOW + 3


def test_what_it_will_never_have_is_not_waited_for(served: Served) -> None:
    slept: list[float] = []
    chosen = store_reader(
        served.store, 4, monotonic=lambda: 0.0, sleep=slept.append, generation="7"
    )
    wanted = AtLeast(9, SHARD)
    standing = chosen.of_account(downloads.PROJECTION, "a1", ("a1",), wanted).standing
    assert (standing.fresh, standing.behind, slept) == (False, 8, [])


@pytest.mark.parametrize("name", [None, "1"])
def test_all_others_are_asked_about_now(served: Served, name: str | None) -> None:
    assert reader(served, name).moment(NAME, NOW + 99) == NOW + 99


def test_rows_across_accounts_are_those_of_the_chosen_one(served: Served) -> None:
    keep(
        served, Generation(titles.PROJECTION.name, 8, "f", 1, label="s", as_of=9, followed_at=9)
    )
    chosen, wanted = reader(served, "s"), ("t1",)
    assert chosen.merged(titles.PROJECTION, wanted).rows == {}
    assert chosen.merged(titles.PROJECTION, wanted).standing.as_of == 9
    assert list(served.reader.merged(titles.PROJECTION, wanted).rows) == ["t1"]


@pytest.mark.parametrize("name", ["other", "3", "", "scratch "])
def test_one_that_there_is_not_is_answered_with_those_there_are(
    served: Served, name: str
) -> None:
    with pytest.raises(NotFound, match=r"There is: 1 \(serving\), scratch \(scratch\)\."):
        row(reader(served, name))


def test_one_that_is_not_whole_yet_is_not_asked(served: Served) -> None:
    keep(served, Generation(NAME, 7, "f", 1, label="scratch", as_of=NOW + 3))
    with pytest.raises(Unavailable, match="downloads@scratch is not whole yet"):
        row(reader(served, "scratch"))
