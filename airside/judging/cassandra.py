"""What a Cassandra cluster says of itself and of our keyspace, judged."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airside.judging.finding import Finding, Verdict, clock, counted

if TYPE_CHECKING:
    from airside.adapters.cassandra_facts import ClusterFacts

ENGINE = "event store"
EXERCISED = "5.0"
OLDEST = 4  # major version: protocol 5
COPIES_LEAST = 3  # so that a majority stands when one node is away


def judge(facts: "ClusterFacts", *, where: str, tolerance_ms: int) -> Iterator[Finding]:
    """Every finding about nodes and keyspace."""
    yield _nodes(facts, where)
    yield _version(facts)
    yield _schema(facts)
    yield clock(ENGINE, facts.clock_ahead_ms, tolerance_ms)
    yield _paxos(facts)
    if not facts.replication:
        yield Finding(
            ENGINE, "keyspace", f"no {facts.keyspace}", "mend", "Make it: airside init"
        )
        return
    yield _tables(facts)
    yield from _copies(facts)


def _nodes(facts: "ClusterFacts", where: str) -> Finding:
    up, all_nodes = len(facts.up), len(facts.up) + len(facts.down)
    found = f"{up} of {counted(all_nodes, 'node')} up at {where}"
    if not facts.down:
        return Finding(ENGINE, "reached", found)
    advice = (
        f"Start {', '.join(facts.down)}; if it was away for more than three hours, then: "
        f"nodetool repair {facts.keyspace}. One that is gone for good: nodetool removenode."
    )
    return Finding(ENGINE, "reached", found, "mend", advice)


def _version(facts: "ClusterFacts") -> Finding:
    found = f"Cassandra {facts.version}"
    if facts.version.startswith(f"{EXERCISED}."):
        return Finding(ENGINE, "version", found)
    is_old = int(facts.version.partition(".")[0]) < OLDEST
    advice = f"airside is tried on Cassandra {EXERCISED}: bring all nodes to that."
    return Finding(ENGINE, "version", found, "mend" if is_old else "look", advice)


def _schema(facts: "ClusterFacts") -> Finding:
    count = facts.schema_versions
    if count <= 1:
        return Finding(ENGINE, "schema", "all nodes agree")
    advice = (
        "Wait a minute and look again; if it stays: nodetool describecluster says which node "
        "differs, nodetool resetlocalschema there mends it."
    )
    return Finding(ENGINE, "schema", f"{count} versions of it", "look", advice)


def _paxos(facts: "ClusterFacts") -> Finding:
    what = "paxos_variant"
    if facts.paxos_variant in ("v2", None):
        return Finding(ENGINE, what, facts.paxos_variant or "it does not tell")
    advice = (
        "Each commit takes one round trip more than it needs, and reads of the history's end "
        "may time out under contention. In cassandra.yaml of every node: paxos_variant: v2"
    )
    return Finding(ENGINE, what, str(facts.paxos_variant), "look", advice)


def _tables(facts: "ClusterFacts") -> Finding:
    if not facts.missing:
        return Finding(ENGINE, "keyspace", f"{facts.keyspace}, all tables and columns")
    tables = [one for one in facts.missing if one.startswith("table ")]
    advice = "Make them: airside init"
    if len(tables) < len(facts.missing):
        advice = (
            "It was made by something else or by an older airside: name another keyspace in "
            "AIRSIDE_EVENTS."
        )
    found = f"without {', '.join(facts.missing)}"
    return Finding(ENGINE, "keyspace", found, "mend", advice)


def _copies(facts: "ClusterFacts") -> Iterator[Finding]:
    """Of each data centre that has some."""
    stored = dict(facts.replication)
    kind = stored.pop("class", "").rpartition(".")[2]
    if kind == "SimpleStrategy":
        stored = dict.fromkeys(facts.nodes, stored.get("replication_factor", "1"))
    for centre in sorted(stored.keys() | facts.asked.keys()):
        yield _copies_in(facts, centre, int(stored.get(centre, "0").partition("/")[0]))
    if kind not in ("NetworkTopologyStrategy", "SimpleStrategy"):
        advice = "No node shares its rows with others: name another keyspace in AIRSIDE_EVENTS."
        yield Finding(ENGINE, "replication", kind, "mend", advice)


def _copies_in(facts: "ClusterFacts", centre: str, copies: int) -> Finding:
    what = f"replication in {centre}"
    asked = facts.asked.get(centre, 0)
    nodes = facts.nodes.get(centre, 0)
    found = f"{copies} copies" if copies != 1 else "1 copy"
    may_be_away = (copies - 1) // 2
    alter = (
        f"ALTER KEYSPACE {facts.keyspace} WITH replication = {{'class': "
        f"'NetworkTopologyStrategy', '{centre}': {max(asked, COPIES_LEAST)}}}, and then on "
        "every node nodetool repair --full"
    )
    if copies < asked:
        advice = f"The address asks for {asked}. Mend it: {alter}; or ask for fewer."
        return Finding(ENGINE, what, f"{found}, {asked} asked for", "mend", advice)
    if copies > nodes:
        verdict: Verdict = "mend" if nodes <= copies // 2 else "look"
        advice = f"There are only {nodes} nodes to keep {copies} copies: add nodes."
        return Finding(ENGINE, what, found, verdict, advice)
    if may_be_away:
        away = f"{may_be_away} of them may be away"
        return Finding(ENGINE, what, f"{found} and {facts.consistency}: {away}")
    advice = (
        f"{facts.consistency} of {found} stands still when one node is away"
        + (", and what it holds is lost with its disk" if copies == 1 else "")
        + f". Where there are three nodes: {alter}"
    )
    return Finding(ENGINE, what, found, "look", advice)
