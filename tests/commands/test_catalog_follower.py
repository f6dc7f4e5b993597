"""The follower reads the topic to its end, follows it, and is not stopped by a bad record."""

from collections.abc import Sequence

import pytest

from commands.catalog_follower import (
    EMPTY_POLLS_MAX,
    POLLS_MAX,
    REJECTED_KEPT_MAX,
    CatalogFollower,
    CatalogSource,
)
from schemas.errors import Unavailable
from schemas.record import Record

ONE, TWO = b'{"name": "One"}', b'{"name": "Two"}'


class Topic:
    """A partition in a list. It hands out `batch` records at a time, and may be compacted."""

    def __init__(self, batch: int = 2) -> None:
        self.records: list[Record] = []
        self.batch = batch
        self.polls_to_fail = 0
        self.missing_at_the_end = 0
        self._next = 0

    def append(self, key: str | bytes | None, value: bytes | None) -> None:
        data = key.encode() if isinstance(key, str) else key
        self.records.append((self.end(), 0, data, value))

    def append_many(self, count: int) -> None:
        for n in range(count):
            self.append(f"studio/s{n}", ONE)

    def compact(self) -> None:
        last = {key: offset for offset, _, key, _ in self.records}
        self.records = [record for record in self.records if last[record[2]] == record[0]]

    def seek(self, offset: int) -> None:
        self._next = offset

    def poll(self, count_max: int, wait_seconds: float) -> Sequence[Record]:
        if self.polls_to_fail:
            self.polls_to_fail -= 1
            raise Unavailable("the topic does not answer")
        ahead = [record for record in self.records if record[0] >= self._next]
        arrived = ahead[: min(count_max, self.batch)]
        self._next = arrived[-1][0] + 1 if arrived else self._next
        return arrived

    def end(self) -> int:
        return (self.records[-1][0] + 1 if self.records else 0) + self.missing_at_the_end


def topic_of(*records: tuple[str | bytes | None, bytes | None], batch: int = 2) -> Topic:
    topic = Topic(batch)
    for key, value in records:
        topic.append(key, value)
    return topic


def studios(source: CatalogSource) -> dict[str, str]:
    catalog = CatalogFollower(source).catch_up()
    return {studio_id: studio.name for studio_id, studio in catalog.studios.items()}


def test_an_empty_topic_is_version_0() -> None:
    assert CatalogFollower(topic_of()).catch_up().version == 0


def test_the_topic_is_read_to_its_end_in_many_polls() -> None:
    topic = topic_of(*[(f"studio/s{n}", ONE) for n in range(7)])
    catalog = CatalogFollower(topic).catch_up()
    assert (catalog.version, len(catalog.studios)) == (7, 7)


def test_the_start_reads_further_than_one_later_call_would() -> None:
    topic = topic_of(*[(f"studio/s{n}", ONE) for n in range(2 * POLLS_MAX)], batch=1)
    assert CatalogFollower(topic).catch_up().version == 2 * POLLS_MAX


def test_a_call_that_follows_is_bounded_and_the_next_one_reads_on() -> None:
    topic = topic_of(batch=1)
    follower = CatalogFollower(topic)
    assert follower.catch_up().version == 0
    topic.append_many(POLLS_MAX + 5)
    assert follower.catch_up().version == POLLS_MAX
    assert follower.catch_up().version == POLLS_MAX + 5


def test_what_arrives_later_is_followed() -> None:
    topic = topic_of(("studio/s1", ONE))
    follower = CatalogFollower(topic)
    first = follower.catch_up()
    topic.append("studio/s1", TWO)
    second = follower.catch_up()
    assert (first.version, first.studios["s1"].name) == (1, "One")
    assert (second.version, second.studios["s1"].name) == (2, "Two")


def test_the_same_object_is_returned_while_nothing_changes() -> None:
    follower = CatalogFollower(topic_of(("studio/s1", ONE)))
    assert follower.catch_up() is follower.catch_up()


def test_of_each_key_the_last_record_counts_compacted_or_not() -> None:
    topic = topic_of(
        ("studio/s1", ONE), ("studio/s2", ONE), ("studio/s1", TWO), ("studio/s2", None)
    )
    before = studios(topic)
    topic.compact()
    assert studios(topic) == before == {"s1": "Two"}
    assert CatalogFollower(topic).catch_up().version == 4


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("studio/s1", b"not json", "'studio/s1': not JSON"),
        ("studio/s1", b'{"nam": "x"}', "studio/s1: name is missing; add it"),
        ("movie/s1", ONE, "'movie/s1': no such kind of entry"),
        ("movie/s1", None, "'movie/s1': no such kind of entry"),
        (None, ONE, "'': no such kind of entry"),
        (b"\xff", ONE, "the key is not UTF-8"),
    ],
)
def test_a_bad_record_is_skipped_and_reported_and_its_key_stays_as_it_was(
    key: str | bytes | None, value: bytes | None, reason: str
) -> None:
    topic = topic_of(("studio/s1", ONE), (key, value), ("studio/s2", TWO))
    follower = CatalogFollower(topic)
    catalog = follower.catch_up()
    assert (catalog.version, sorted(catalog.studios)) == (3, ["s1", "s2"])
    assert catalog.studios["s1"].name == "One"
    assert [offset for offset, _ in follower.rejected] == [1]
    assert reason in follower.rejected[0][1]


def test_a_topic_of_bad_records_only_still_has_a_version() -> None:
    assert CatalogFollower(topic_of(("x", b""))).catch_up().version == 1


def test_only_the_latest_rejected_records_are_kept() -> None:
    bad = [(f"x{n}", b"") for n in range(REJECTED_KEPT_MAX + 3)]
    follower = CatalogFollower(topic_of(*bad))
    assert follower.catch_up().version == REJECTED_KEPT_MAX + 3
    assert len(follower.rejected) == REJECTED_KEPT_MAX
    assert follower.rejected[0][0] == 3


def test_an_entry_that_was_corrected_is_rejected_no_more() -> None:
    follower = CatalogFollower(topic_of(("studio/s1", b"not json"), ("studio/s1", ONE)))
    assert sorted(follower.catch_up().studios) == ["s1"]
    assert follower.rejected == ()


def test_what_was_read_before_a_failure_is_kept_for_the_next_call() -> None:
    topic = topic_of(("studio/s1", ONE), ("studio/s2", TWO), ("studio/s3", ONE), batch=1)
    follower = CatalogFollower(topic)
    topic.polls_to_fail = 1
    with pytest.raises(Unavailable):
        follower.catch_up()
    assert sorted(follower.catch_up().studios) == ["s1", "s2", "s3"]


def test_a_failure_while_following_loses_nothing() -> None:
    topic = topic_of(("studio/s1", ONE))
    follower = CatalogFollower(topic)
    follower.catch_up()
    topic.append("studio/s2", TWO)
    topic.polls_to_fail = 1
    with pytest.raises(Unavailable):
        follower.catch_up()
    assert sorted(follower.catch_up().studios) == ["s1", "s2"]


def test_a_start_that_cannot_reach_the_end_says_so() -> None:
    topic = topic_of(("studio/s1", ONE))
    topic.missing_at_the_end = 2
    with pytest.raises(Unavailable, match="read to offset 1 of 3, and nothing more arrives"):
        CatalogFollower(topic).catch_up()
    assert EMPTY_POLLS_MAX == 20


def test_a_record_delivered_again_is_read_once() -> None:
    topic = topic_of(("studio/s1", ONE), ("studio/s1", TWO))
    follower = CatalogFollower(topic)
    first = follower.catch_up()
    topic.seek(0)
    assert follower.catch_up() is first
