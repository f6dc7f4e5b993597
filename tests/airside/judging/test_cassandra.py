"""What a Cassandra cluster says of itself, judged on made-up facts."""

import pytest
from msgspec.structs import replace

from airside.adapters.cassandra_facts import ClusterFacts
from airside.judging.cassandra import judge
from airside.judging.finding import Finding, Verdict
from tests.kit.judged import about, troubles, verdicts

NETWORK = "org.apache.cassandra.locator.NetworkTopologyStrategy"
WELL = ClusterFacts(
    version="5.0.8",
    data_centre="dc1",
    up=("10.0.0.1:9042", "10.0.0.2:9042", "10.0.0.3:9042"),
    down=(),
    replication={"class": NETWORK, "dc1": "3"},
    clock_ahead_ms=3,
    paxos_variant="v2",
    schema_versions=1,
    keyspace="airside",
    nodes={"dc1": 3},
    asked={"dc1": 3},
    consistency="QUORUM",
    missing=(),
)
COPIES = "replication in dc1"


def judged(**changes: object) -> list[Finding]:
    facts = replace(WELL, **changes)
    return list(judge(facts, where="cassandra://10.0.0.1:9042", tolerance_ms=300_000))


def test_a_good_keyspace_has_nothing_to_mend() -> None:
    assert set(verdicts(judged()).values()) == {"ok"}
    assert about(judged(), COPIES).found == "3 copies and QUORUM: 1 of them may be away"


def test_a_node_that_is_down_is_named() -> None:
    found = about(judged(up=WELL.up[:2], down=WELL.up[2:]), "reached")
    assert found.verdict == "mend"
    assert found.found.startswith("2 of 3 nodes up")
    assert "10.0.0.3:9042" in found.advice


@pytest.mark.parametrize(
    ("version", "verdict"),
    [("5.0.8", "ok"), ("5.1.0", "look"), ("4.1.3", "look"), ("3.11.2", "mend")],
)
def test_a_version_that_was_not_tried_is_said(version: str, verdict: Verdict) -> None:
    assert verdicts(judged(version=version))["version"] == verdict


def test_nodes_that_disagree_about_the_schema_are_looked_at() -> None:
    assert troubles(judged(schema_versions=2)) == {"schema": "look"}


def test_a_wrong_clock_is_told() -> None:
    assert troubles(judged(clock_ahead_ms=-400_000)) == {"clock": "mend"}


def test_the_older_paxos_is_looked_at_and_silence_is_not() -> None:
    assert troubles(judged(paxos_variant="v1")) == {"paxos_variant": "look"}
    assert troubles(judged(paxos_variant=None)) == {}


def test_a_missing_keyspace_or_table_is_made_by_init() -> None:
    keyspace = about(judged(replication={}), "keyspace")
    table = about(judged(missing=("table events",)), "keyspace")
    assert (keyspace.verdict, table.verdict) == ("mend", "mend")
    assert "airside init" in keyspace.advice
    assert "airside init" in table.advice


def test_a_missing_column_is_no_matter_for_init() -> None:
    found = about(judged(missing=("column events.seq",)), "keyspace")
    assert found.verdict == "mend"
    assert "airside init" not in found.advice


def test_a_quorum_of_one_copy_tolerates_no_loss_and_is_told_so() -> None:
    one = {"class": NETWORK, "dc1": "1"}
    found = about(judged(replication=one, asked={}), COPIES)
    assert found.verdict == "look"
    assert found.advice.startswith("QUORUM of 1 copy stands still when one node is away, and")


@pytest.mark.parametrize(
    ("stored", "asked", "nodes", "verdict"),
    [
        ("2", {}, 3, "look"),
        ("2", {"dc1": 3}, 3, "mend"),
        ("3", {}, 2, "look"),
        ("3", {}, 1, "mend"),
        ("5", {"dc1": 3}, 5, "ok"),
    ],
)
def test_copies_are_held_against_what_was_asked_and_the_nodes(
    stored: str, asked: dict[str, int], nodes: int, verdict: Verdict
) -> None:
    found = judged(
        replication={"class": NETWORK, "dc1": stored}, asked=asked, nodes={"dc1": nodes}
    )
    assert verdicts(found)[COPIES] == verdict


def test_the_simple_strategy_counts_for_every_data_centre() -> None:
    simple = {"class": "SimpleStrategy", "replication_factor": "3"}
    assert troubles(judged(replication=simple)) == {}


def test_a_data_centre_that_was_asked_for_and_has_no_copy_is_mended() -> None:
    found = judged(asked={"dc1": 3, "dc2": 3})
    assert troubles(found) == {"replication in dc2": "mend"}


def test_a_keyspace_that_stays_on_one_node_is_mended() -> None:
    local = {"class": "LocalStrategy"}
    assert troubles(judged(replication=local, asked={})) == {"replication": "mend"}
