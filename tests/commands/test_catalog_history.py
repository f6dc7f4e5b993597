"""Every catalog there was, and which of them compaction has taken."""

import pytest

from commands.catalog import Title
from commands.catalog_follower import HISTORY_KEY
from commands.catalog_history import CATALOGS_MAX, CatalogHistory
from commands.policy import Said
from schemas.errors import NotFound
from schemas.record import Record

STUDIO = (0, 0, b"studio/s1", b'{"name": "First"}')


def policy(offset: int, most: int) -> Record:
    return offset, 0, b"policy/p", f'{{"title.max_downloads": {most}}}'.encode()


def most(history: CatalogHistory, version: int) -> object:
    said = history.at(version).policies.get("p")
    return None if said is None else said.values["title.max_downloads"]


def test_a_version_holds_what_lies_before_it() -> None:
    history = CatalogHistory([STUDIO, policy(1, 3), policy(2, 5)])

    assert [most(history, version) for version in (0, 1, 2, 3)] == [None, None, 3, 5]
    assert [history.at(version).version for version in (0, 3)] == [0, 3]
    assert history.version == 3


def test_what_a_follower_skips_is_no_entry_but_counts() -> None:
    poison = [(0, 0, b"policy/p", b"{"), (1, 0, b"\xff", b"{}"), (2, 0, None, None)]
    mark = (3, 0, HISTORY_KEY.encode(), b"h1")

    history = CatalogHistory([*poison, mark, policy(4, 3)])

    assert (most(history, 4), most(history, 5)) == (None, 3)


def test_a_removed_entry_is_gone_from_then_on() -> None:
    history = CatalogHistory([policy(0, 3), (1, 0, b"policy/p", None)])

    assert (most(history, 1), most(history, 2)) == (3, None)


def test_entries_instead_hold_in_every_version() -> None:
    entries = {"policy/p": Said({"title.max_downloads": 9}), "title/t1": None}
    title = (0, 0, b"title/t1", b'{"name": "One", "studio_id": "s1"}')

    history = CatalogHistory([title, policy(1, 3), policy(2, 5)], instead=entries)

    assert [most(history, version) for version in (0, 1, 3)] == [9, 9, 9]
    assert history.at(3).title("t1") is None
    assert isinstance(CatalogHistory([title]).at(1).title("t1"), Title)


def test_a_version_above_a_lost_record_is_told_only_if_it_is_the_newest() -> None:
    history = CatalogHistory([STUDIO, policy(2, 5), policy(3, 6)])

    assert (most(history, 1), most(history, 4)) == (None, 6)
    with pytest.raises(NotFound, match="from offset 1 on it lacks records"):
        history.at(3)


def test_a_version_beyond_the_topic_is_of_another_log() -> None:
    with pytest.raises(NotFound, match="the topic ends at 1"):
        CatalogHistory([STUDIO]).at(2)


def test_no_more_catalogs_are_kept_than_the_bound() -> None:
    history = CatalogHistory([policy(n, n + 1) for n in range(2 * CATALOGS_MAX)])

    kept = [history.at(version) for version in range(2 * CATALOGS_MAX)]

    assert len(history._made) == CATALOGS_MAX
    assert history.at(2 * CATALOGS_MAX - 1) is kept[-1]
    assert most(history, 1) == 1
