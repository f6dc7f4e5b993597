"""What a Kafka cluster says of itself, judged on made-up facts."""

import pytest
from msgspec.structs import replace

from airside.adapters.kafka_facts import ClusterFacts
from airside.judging.finding import Finding, Verdict
from airside.judging.kafka import judge
from tests.kit.judged import about, troubles, verdicts

WELL = ClusterFacts(
    brokers=3,
    replication=3,
    min_insync=2,
    is_version_4=True,
    members={"handlers": 2, "projectors": 1, "timekeepers": 1},
    newest_ms=-5_000,
)


def judged(**changes: object) -> list[Finding]:
    return list(judge(replace(WELL, **changes), where="kafka://b:9092", tolerance_ms=300_000))


def test_a_good_cluster_has_nothing_to_mend() -> None:
    assert set(verdicts(judged()).values()) == {"ok"}


def test_fewer_brokers_than_copies_were_asked_for_is_mended() -> None:
    assert troubles(judged(brokers=2)) == {"reached": "mend"}


def test_an_older_cluster_is_looked_at_and_one_that_does_not_tell_is_not() -> None:
    assert troubles(judged(is_version_4=False)) == {"version": "look"}
    assert troubles(judged(is_version_4=None)) == {}


@pytest.mark.parametrize(
    ("newest_ms", "verdict"),
    [(-86_400_000, "ok"), (900, "ok"), (2_000, "look"), (400_000, "mend")],
)
def test_records_of_the_future_give_the_brokers_clock_away(
    newest_ms: int, verdict: Verdict
) -> None:
    assert verdicts(judged(newest_ms=newest_ms))["clock"] == verdict


def test_a_clock_that_no_record_tells_is_said_not_to_be_asked() -> None:
    assert about(judged(newest_ms=None), "clock").found.startswith("not asked")


def test_a_role_that_nobody_does_is_looked_at_with_the_verb_that_does_it() -> None:
    found = judged(members={"handlers": 1, "projectors": 0})
    assert troubles(found) == {"projectors": "look"}
    assert about(found, "projectors").advice.endswith("airside project")


def test_a_group_that_is_not_told_is_looked_at() -> None:
    assert troubles(judged(members={"handlers": None})) == {"handlers": "look"}
