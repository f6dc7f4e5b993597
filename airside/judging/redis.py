"""What the servers of the read models say of themselves, judged."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from airside.judging.finding import Finding, Verdict, clock, counted, sized

if TYPE_CHECKING:
    from airside.adapters.redis_facts import ServerFacts

ENGINE = "read models"
EXERCISED = {"Valkey": (8, 9), "Redis": (7, 8)}  # major versions
OLDEST = {"Valkey": 7, "Redis": 6}  # scripts, TIME and UNLINK as we use them
FULL_LOOK, FULL_MEND = 0.80, 0.95  # of the memory bound


def judge(
    servers: Sequence["ServerFacts"], *, tolerance_ms: int, is_embedded: bool
) -> Iterator[Finding]:
    """Every finding about every server that rows are written to."""
    for facts in servers:
        of = f" of {facts.name}" if len(servers) > 1 else ""
        yield _version(facts, of)
        if not is_embedded:  # its clock is ours
            yield clock(ENGINE, facts.skew_ms, tolerance_ms, what=f"clock{of}")
        yield _eviction(facts, of)
        yield _memory(facts, of)
        yield _persistence(facts, of)
        if not is_embedded:
            yield _replicas(facts, of)
        if facts.cluster:
            yield _cluster(facts, of)


def _version(facts: "ServerFacts", of: str) -> Finding:
    kind, _, number = facts.version.partition(" ")
    major = int(number.partition(".")[0])
    found = f"{facts.version} at {facts.name}"
    if major in EXERCISED[kind]:
        return Finding(ENGINE, f"version{of}", found)
    verdict: Verdict = "mend" if major < OLDEST[kind] else "look"
    advice = "airside is tried on Valkey 8 and 9 and on Redis 7 and 8: take one of these."
    return Finding(ENGINE, f"version{of}", found, verdict, advice)


def _eviction(facts: "ServerFacts", of: str) -> Finding:
    what, found = f"eviction{of}", facts.eviction_policy
    if found == "noeviction":
        return Finding(ENGINE, what, found)
    advice = (
        "Rows vanish when memory is bounded and short, and no event brings them back. On "
        f"{facts.name}: CONFIG SET maxmemory-policy noeviction, and CONFIG REWRITE."
    )
    return Finding(ENGINE, what, found, "mend" if facts.evicts else "look", advice)


def _memory(facts: "ServerFacts", of: str) -> Finding:
    what, used, bound = f"memory{of}", facts.memory_bytes, facts.memory_bytes_max
    if not bound:
        return Finding(ENGINE, what, f"{sized(used)}, no bound")
    found = f"{sized(used)} of {sized(bound)}, {used / bound:.0%}"
    if used < FULL_LOOK * bound:
        return Finding(ENGINE, what, found)
    advice = (
        "At the bound every save is refused and the read models stand still. Give it more: "
        f"CONFIG SET maxmemory {2 * bound}, if the machine has that; or drop generations "
        "that are not served (airside replay --help)."
    )
    verdict: Verdict = "look" if used < FULL_MEND * bound else "mend"
    return Finding(ENGINE, what, found, verdict, advice)


def _persistence(facts: "ServerFacts", of: str) -> Finding:
    what = f"persistence{of}"
    if facts.is_append_only:
        return Finding(ENGINE, what, "append-only file")
    if facts.save:
        return Finding(ENGINE, what, f"snapshots ({facts.save}); newer rows are folded again")
    if facts.save is None:
        return Finding(ENGINE, what, "it does not tell")
    advice = (
        "After a restart all read models are built again from the topic: nothing is lost, but "
        f"it takes time. To keep them, on {facts.name}: CONFIG SET appendonly yes, and "
        "CONFIG REWRITE."
    )
    return Finding(ENGINE, what, "none", "look", advice)


def _replicas(facts: "ServerFacts", of: str) -> Finding:
    what = f"replicas{of}"
    if facts.role not in ("master", "primary"):
        advice = (
            "A replica takes no writes. Name the master, or the sentinels, in AIRSIDE_VIEWS."
        )
        return Finding(ENGINE, what, f"it is a {facts.role} itself", "mend", advice)
    if not facts.replicas:
        return Finding(ENGINE, what, "none: if it is lost, all is built again from the topic")
    return Finding(ENGINE, what, counted(facts.replicas, "replica"))


def _cluster(facts: "ServerFacts", of: str) -> Finding:
    if facts.cluster == "ok":
        return Finding(ENGINE, f"cluster{of}", "ok")
    advice = (
        "Some slots have no server, and their shards stand still. Which: valkey-cli --cluster "
        f"check {facts.name}, or redis-cli; bring the lost master or its replica back."
    )
    return Finding(ENGINE, f"cluster{of}", facts.cluster, "mend", advice)
