"""What a Cassandra cluster says of itself, for whoever has to judge whether it is well."""

import time
from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from airside.adapters.cassandra_layout import asked_replication, missing, stored_replication
from airside.adapters.cassandra_session import CassandraSession
from schemas.errors import NotFound, Permanent


class ClusterFacts(Struct, frozen=True):
    """As one node, and the driver, see it."""

    version: str  # of the node asked
    data_centre: str  # of the node asked
    up: tuple[str, ...]  # host:port of each node
    down: tuple[str, ...]
    replication: Mapping[str, str]  # of the keyspace: class, and replicas per data centre;
    # empty: there is no such keyspace
    clock_ahead_ms: int  # the node's clock before ours; exact to half of a request's time
    paxos_variant: str | None  # None where the server does not say
    schema_versions: int  # 1 where all nodes agree
    keyspace: str
    nodes: Mapping[str, int]  # of each data centre, up or down
    asked: Mapping[str, int]  # replicas by data centre; empty: the address asks for none
    consistency: str
    missing: tuple[str, ...]  # tables and columns that the keyspace lacks


def facts(session: CassandraSession) -> ClusterFacts:
    """Ask now. Raises: Invalid, Unavailable."""
    session.prepared("node")
    asked_at = time.time()
    version, schema, data_centre, node_ms = session.rows("node")[0]
    here_ms = (asked_at + time.time()) / 2 * 1_000
    others = {row[1] for row in session.rows("peers") if row[1] is not None}
    hosts = session.connected().cluster.metadata.all_hosts()
    stored = _stored(session)
    return ClusterFacts(
        version=version,
        data_centre=data_centre,
        up=tuple(sorted(str(host.endpoint) for host in hosts if host.is_up)),
        down=tuple(sorted(str(host.endpoint) for host in hosts if not host.is_up)),
        replication=stored,
        clock_ahead_ms=round(node_ms - here_ms),
        paxos_variant=_paxos_variant(session),
        schema_versions=len(others | {schema}),
        keyspace=session.keyspace,
        nodes=Counter(host.datacenter or "" for host in hosts),
        asked=asked_replication(session) or {},
        consistency=session.consistency,
        missing=tuple(missing(session)) if stored else (),
    )


def _stored(session: CassandraSession) -> Mapping[str, str]:
    try:
        return stored_replication(session)
    except NotFound:
        return {}


def _paxos_variant(session: CassandraSession) -> str | None:
    try:
        rows = session.rows("paxos")
    except Permanent:
        return None  # no such table, or not for this user
    return rows[0][0] if rows else None
