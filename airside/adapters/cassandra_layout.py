"""Keyspace and tables in Cassandra: made where they are missing, compared where they are not.

All schema statements go through one node, the first of those that are up: two programs that
lay out at once through different nodes would make the same table twice, with two ids.
"""

import re
import time
from collections import Counter
from collections.abc import Mapping

from airside.adapters.cassandra_errors import answering
from airside.adapters.cassandra_session import CQL, CassandraSession, Row
from schemas.envelope import new_id
from schemas.errors import Contradiction, Invalid, NotFound, Unavailable

REPLICAS_DEFAULT = 3  # where there are so many nodes, else 1
NODES_PAUSE_SECONDS = 0.5  # between two looks at nodes that were just started
COLUMN = re.compile(r"^    (\w+) +(\w+),$", re.MULTILINE)
FACTORS = re.compile(r"\d+|[\w.-]+:\d+(,[\w.-]+:\d+)*")
TABLE = "table_"  # what the names of their statements begin with


def lay_out(session: CassandraSession, shards: int) -> tuple[int, str]:
    """Make what is missing; shards and history id as they are stored then.

    A node that was just started may not know yet what another has made, or be thought down for
    a moment: asked again, for some time. Raises: Contradiction where a table or the replication
    does not fit; Invalid; NotFound, Unavailable.
    """
    deadline = time.monotonic() + session.timeout_seconds
    while True:
        try:
            return _lay_out(session, shards)
        except (NotFound, Unavailable):
            if time.monotonic() > deadline:
                raise
        time.sleep(NODES_PAUSE_SECONDS)


def layout(session: CassandraSession, *, profile: str = "plain") -> tuple[int, str]:
    """Shards and history id as stored. Raises: NotFound, Unavailable."""
    rows = session.rows("layout", profile=profile)
    if not rows:
        raise NotFound(f"{session.address} has no layout yet. Run: airside init")
    shards, history = rows[0]
    return shards, history


def asked_replication(session: CassandraSession) -> dict[str, int] | None:
    """Copies for each data centre, as the address asks for; None where it does not.

    Raises: Invalid where the cluster has no such data centre, or it is unclear.
    """
    asked = session.address.text("replication")
    if not asked:
        return None
    if not FACTORS.fullmatch(asked):
        raise Invalid(
            f"{session.address}: replication is {asked!r}. Write a number, as in 3, or one for "
            "each data centre, as in dc1:3,dc2:2."
        )
    nodes = _nodes(session)
    if asked.isdecimal():
        return dict.fromkeys(nodes, int(asked))
    given = dict(one.split(":") for one in asked.split(","))
    for centre in given.keys() - nodes.keys():
        raise Invalid(
            f"{session.address}: there is no data centre {centre!r}. There are: "
            f"{', '.join(sorted(nodes))}."
        )
    return {centre: int(count) for centre, count in given.items()}


def stored_replication(session: CassandraSession) -> dict[str, str]:
    """What the keyspace says: `class`, and a number for each data centre."""
    rows = session.rows("replication", session.keyspace)
    if not rows:
        raise NotFound(f"{session.address}: there is no such keyspace. Run: airside init")
    return dict(rows[0][0])


def check_replication(session: CassandraSession, asked: Mapping[str, int]) -> None:
    """The keyspace has as many replicas as were asked for. Raises: Contradiction, NotFound."""
    found = stored_replication(session)
    everywhere = found.get("replication_factor", "0")  # SimpleStrategy's
    for centre, count in asked.items():
        stored = found.get(centre, everywhere)
        if int(stored.partition("/")[0]) < count:  # 3/1: one of the three is transient
            raise Contradiction(
                f"{session.address}: keyspace {session.keyspace} has {stored} replicas in "
                f"{centre}, {count} were asked for. Alter the keyspace and repair it, or ask "
                "for fewer."
            )


def missing(session: CassandraSession) -> list[str]:
    """What lay_out would have to make, or cannot: `table events`, `column events.seq`."""
    found = _columns(session)
    lacking: list[str] = []
    for table, columns in _needed().items():
        if table not in found:
            lacking.append(f"table {table}")
            continue
        fits = found[table].items()
        lacking += [f"column {table}.{name}" for name, k in columns if (name, k) not in fits]
    return lacking


def _lay_out(session: CassandraSession, shards: int) -> tuple[int, str]:
    asked = asked_replication(session)
    wanted = _fitting(session) if asked is None else asked
    _await_nodes(session, wanted)
    text = str({"class": "NetworkTopologyStrategy", **wanted})
    _change_schema(session, session.cql(CQL["keyspace"], replication=text))
    check_replication(session, asked or {})
    _check_columns(session)
    for name in _tables():
        _change_schema(session, session.cql(CQL[name]))
    _check_columns(session)
    with answering(session.address):
        session.send(session.bound("set_layout", (shards, new_id())), "commit").result()
    return layout(session, profile="serial")


def _nodes(session: CassandraSession) -> dict[str, int]:
    """How many nodes each data centre has, up or not."""
    hosts = session.connected().cluster.metadata.all_hosts()
    return dict(Counter(host.datacenter for host in hosts))


def _fitting(session: CassandraSession) -> dict[str, int]:
    nodes = _nodes(session).items()
    return {c: REPLICAS_DEFAULT if count >= REPLICAS_DEFAULT else 1 for c, count in nodes}


def _await_nodes(session: CassandraSession, wanted: Mapping[str, int]) -> None:
    """There are as many nodes as replicas; those that were just started are waited for."""
    deadline = time.monotonic() + session.timeout_seconds
    while lacking := [c for c, count in wanted.items() if count > _nodes(session).get(c, 0)]:
        if time.monotonic() > deadline:
            centre = lacking[0]
            raise Unavailable(
                f"{session.address}: {wanted[centre]} replicas were asked for, {centre} has "
                f"{_nodes(session).get(centre, 0)} nodes. Start the others, or ask for fewer."
            )
        time.sleep(NODES_PAUSE_SECONDS)
        with answering(session.address):
            session.connected().cluster.refresh_nodes()


def _check_columns(session: CassandraSession) -> None:
    """Every table that is there has the columns that we need; more do no harm."""
    found = _columns(session)
    for table, columns in _needed().items():
        for column, kind in columns if table in found else ():
            if found[table].get(column) != kind:
                there = _say(found[table], column)
                raise Contradiction(
                    f"{session.address}: table {table} has {there}, {kind} is needed. "
                    "It was made by something else: choose another keyspace."
                )


def _columns(session: CassandraSession) -> dict[str, dict[str, str]]:
    """Column -> type, of each table, as they are."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in session.rows("columns", session.keyspace):
        found.setdefault(table, {})[column] = kind
    return found


def _needed() -> dict[str, list[tuple[str, str]]]:
    """The (column, type) pairs of each table, as the statements make them."""
    return {name.removeprefix(TABLE): COLUMN.findall(CQL[name]) for name in _tables()}


def _say(columns: Mapping[str, str], column: str) -> str:
    kind = columns.get(column)
    return f"no column {column}" if kind is None else f"a column {column} of type {kind}"


def _tables() -> list[str]:
    return [name for name in CQL if name.startswith(TABLE)]


def _change_schema(session: CassandraSession, statement: str) -> list[Row]:
    connected = session.connected()
    hosts = [host for host in connected.cluster.metadata.all_hosts() if host.is_up]
    if not hosts:
        raise Unavailable(f"{session.address}: no node is up. Try again.")
    first = min(hosts, key=lambda host: (host.address, host.endpoint.port))
    with answering(session.address):
        return list(connected.execute(statement, host=first, execution_profile="plain"))
