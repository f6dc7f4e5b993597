"""What the servers of the read models say, judged on made-up facts."""

import pytest
from msgspec.structs import replace

from airside.adapters.redis_facts import ServerFacts
from airside.judging.finding import Finding, Verdict
from airside.judging.redis import judge
from tests.kit.judged import about, troubles, verdicts

WELL = ServerFacts(
    name="db:6379",
    version="Valkey 9.1.2",
    role="master",
    memory_bytes_max=1_000,
    eviction_policy="noeviction",
    is_append_only=True,
    save="",
    replicas=1,
    memory_bytes=100,
)


def judged(**changes: object) -> list[Finding]:
    return list(judge([replace(WELL, **changes)], tolerance_ms=300_000, is_embedded=False))


def test_a_good_server_has_nothing_to_mend() -> None:
    assert set(verdicts(judged()).values()) == {"ok"}


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        ("Valkey 8.0.1", "ok"),
        ("Redis 7.2.4", "ok"),
        ("Redis 6.2.0", "look"),
        ("Redis 5.0.1", "mend"),
        ("Valkey 10.0.0", "look"),
    ],
)
def test_a_version_that_was_not_tried_is_said(version: str, verdict: Verdict) -> None:
    assert verdicts(judged(version=version))["version"] == verdict


def test_an_evicting_server_is_mended_by_the_command_that_is_shown() -> None:
    found = about(judged(eviction_policy="allkeys-lru"), "eviction")
    assert found.verdict == "mend"
    assert "On db:6379: CONFIG SET maxmemory-policy noeviction" in found.advice


def test_a_policy_that_does_not_evict_yet_is_looked_at() -> None:
    found = judged(eviction_policy="allkeys-lru", memory_bytes_max=0)
    assert troubles(found) == {"eviction": "look"}


@pytest.mark.parametrize(
    ("used", "verdict"), [(799, "ok"), (800, "look"), (949, "look"), (950, "mend")]
)
def test_memory_that_fills_up_is_said_in_time(used: int, verdict: Verdict) -> None:
    assert verdicts(judged(memory_bytes=used))["memory"] == verdict


def test_memory_without_a_bound_is_never_full() -> None:
    assert troubles(judged(memory_bytes=10**12, memory_bytes_max=0)) == {}


def test_without_persistence_rows_are_built_again_which_takes_time_and_is_safe() -> None:
    found = about(judged(is_append_only=False), "persistence")
    assert found.verdict == "look"
    assert "nothing is lost, but it takes time" in found.advice


def test_snapshots_are_persistence() -> None:
    assert troubles(judged(is_append_only=False, save="3600 1")) == {}


def test_a_server_that_does_not_tell_is_not_accused() -> None:
    assert troubles(judged(is_append_only=False, save=None)) == {}


def test_a_replica_cannot_be_written_to() -> None:
    assert troubles(judged(role="slave")) == {"replicas": "mend"}


def test_a_server_without_a_replica_is_well_and_told_so() -> None:
    found = about(judged(replicas=0), "replicas")
    assert (found.verdict, found.found[:5]) == ("ok", "none:")
    assert about(judged(), "replicas").found == "1 replica"


def test_a_cluster_that_lacks_slots_is_mended() -> None:
    assert troubles(judged(cluster="fail")) == {"cluster": "mend"}
    assert verdicts(judged(cluster="ok"))["cluster"] == "ok"


def test_a_wrong_clock_is_said() -> None:
    assert troubles(judged(skew_ms=-2_000)) == {"clock": "look"}


def test_of_several_servers_each_finding_says_whose_it_is() -> None:
    second = replace(WELL, name="other:6379", is_append_only=False)
    found = list(judge([WELL, second], tolerance_ms=300_000, is_embedded=False))
    assert troubles(found) == {"persistence of other:6379": "look"}


def test_the_embedded_server_is_not_asked_for_replicas_or_a_clock() -> None:
    found = verdicts(judge([WELL], tolerance_ms=300_000, is_embedded=True))
    assert found.keys() == {"version", "eviction", "memory", "persistence"}
