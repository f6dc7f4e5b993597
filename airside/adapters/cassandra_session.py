"""Connections to a Cassandra cluster, one set per process, shared by the stores of all threads.

Nothing is connected before it is needed. Three ways to execute a statement:

    commit   conditional: never sent twice by itself, since a second attempt would be refused by
             the success of the first
    serial   a read that sees, and finishes, every conditional write
    plain    idempotent: may go on to the next node

QUORUM and SERIAL by default: right across data centres. LOCAL_QUORUM and LOCAL_SERIAL are
faster where centres are far apart, but then **all handlers of a shard must be in one data
centre**: a conditional write is agreed on within one centre only, and two centres would each
let their own writer win.
"""

import logging
import re
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from cassandra import ConsistencyLevel
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, ExecutionProfile, ResponseFuture, Session
from cassandra.policies import (
    DCAwareRoundRobinPolicy,
    ExponentialReconnectionPolicy,
    FallthroughRetryPolicy,
    RetryPolicy,
    TokenAwarePolicy,
)
from cassandra.query import BoundStatement, PreparedStatement, tuple_factory

from airside.adapters.cassandra_errors import answering
from airside.urls import Address, parse
from schemas.errors import Invalid, Unavailable

PORT = 9042
PROTOCOL = 5  # of Cassandra 4.0 and later: checksums, and errors that say which node failed
KEYSPACE = re.compile(r"[a-z][a-z0-9_]{0,47}")
OPTIONS = {
    "replication": "replicas per data centre: 3, or dc1:3,dc2:2; used when laying out",
    "dc": "the data centre whose nodes are asked; by default that of the hosts named",
    "consistency": "QUORUM or LOCAL_QUORUM (then all handlers in one data centre)",
    "serial": "SERIAL or LOCAL_SERIAL (then all handlers in one data centre)",
    "tls": "true to encrypt",
    "ca": "file with the certificates to trust",
    "cert": "file with our certificate",
    "key": "file with our certificate's key",
    "timeout_seconds": "how long to wait for an answer; 10 by default",
}
CONSISTENCIES = ("QUORUM", "LOCAL_QUORUM")
SERIAL_CONSISTENCIES = ("SERIAL", "LOCAL_SERIAL")
TIMEOUT_SECONDS = 10
RECONNECT_SECONDS = (0.2, 5.0)  # first and longest pause
PAGE_ROWS = 5_000
IN_FLIGHT_MAX = 16  # requests of one reader
NAMED = re.compile(r"(?:\A|(?<=\n\n))-- (\w+): .*\n")
NAGLE_OFF = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]  # else 44 ms for a request of 10 KB

_, *_parts = NAMED.split(
    Path(__file__).with_name("cassandra_event_store.cql").read_text(encoding="utf-8")
)
CQL: Mapping[str, str] = dict(zip(_parts[::2], _parts[1::2], strict=True))

Row = tuple[Any, ...]


class CassandraSession:
    """See the module. For any number of threads; statements go by their names in the .cql."""

    def __init__(self, url: str) -> None:
        self.address = parse(url, scheme="cassandra", port=PORT, options=OPTIONS)
        self.keyspace = self.address.path or "airside"
        if not KEYSPACE.fullmatch(self.keyspace):
            raise Invalid(
                f"{self.address}: {self.keyspace!r} is no keyspace name. Write small letters, "
                "digits and underscores, a letter first, at most 48."
            )
        self.consistency = self.address.choice("consistency", CONSISTENCIES)
        self.timeout_seconds = self.address.number("timeout_seconds", TIMEOUT_SECONDS)
        self._profiles = _profiles(self.address, float(self.timeout_seconds))
        self._tls = _tls(self.address)
        self._opening = threading.Lock()
        self._session: Session | None = None
        self._is_closed = False
        self._prepared: dict[str, PreparedStatement] = {}

    def rows(self, name: str, *values: object, profile: str = "plain") -> list[Row]:
        """All rows that a statement answers with. Raises: Invalid, NotFound, Unavailable."""
        with answering(self.address):
            return list(self.send(self.bound(name, values), profile).result())

    def pages(self, name: str, *values: object, rows_max: int) -> Iterator[Row]:
        """The same, fetched as they are asked for, so many at a time."""
        statement = self.bound(name, values)
        statement.fetch_size = rows_max
        with answering(self.address):
            result = self.send(statement, "plain").result()
        while True:
            yield from result.current_rows
            if not result.has_more_pages:
                return
            with answering(self.address):
                result.fetch_next_page()

    def each(self, statements: Iterable[BoundStatement]) -> Iterator[Row]:
        """What all of them answer, in order, a bounded number of requests ahead."""
        sent: deque[ResponseFuture] = deque()
        with answering(self.address):
            for statement in statements:
                if len(sent) == IN_FLIGHT_MAX:
                    yield from sent.popleft().result()
                sent.append(self.send(statement, "plain"))
            while sent:
                yield from sent.popleft().result()

    def bound(self, name: str, values: Sequence[object]) -> BoundStatement:
        """A statement with its values."""
        return self.prepared(name).bind(values)

    def prepared(self, name: str, text: Callable[[], str] | None = None) -> PreparedStatement:
        """A statement of the .cql file, or the given text; prepared when first asked for.

        Raises: NotFound where keyspace or table are missing; Unavailable.
        """
        found = self._prepared.get(name)
        if found is None:
            cql = CQL[name] if text is None else text()
            with answering(self.address):
                found = self.connected().prepare(self.cql(cql))
            self._prepared[name] = found
        return found

    def send(self, statement: object, profile: str) -> ResponseFuture:
        """Send it and do not wait. Its result raises the driver's errors."""
        return self.connected().execute_async(statement, execution_profile=profile)

    def cql(self, text: str, **values: str) -> str:
        """A statement's text for this keyspace."""
        return Template(text).substitute(keyspace=self.keyspace, **values).strip()

    def connected(self) -> Session:
        """The driver's session. Raises: Invalid, Unavailable."""
        if self._session is not None:  # without the lock: also the driver's thread comes here
            return self._session
        with self._opening:
            if self._is_closed:
                raise Unavailable(f"{self.address}: the connection was closed. Open another.")
            if self._session is None:
                self._session = self._connect()
            return self._session

    def primary_of_accounts(self) -> Callable[[str], object] | None:
        """Says which node an account lives on; None where every node has every account."""
        metadata = self.connected().cluster.metadata
        keyspace = self.keyspace

        def primary(account_id: str) -> object:
            replicas = metadata.get_replicas(keyspace, account_id.encode())
            return replicas[0] if replicas else None

        nodes = len(metadata.all_hosts())
        everywhere = len(metadata.get_replicas(keyspace, b"any account")) in (0, nodes)
        return None if everywhere else primary

    def close(self) -> None:
        """Let go of all connections, for good."""
        with self._opening:
            self._is_closed = True
            if self._session is not None:
                self._session.cluster.shutdown()

    def _connect(self) -> Session:
        _quieten()
        address = self.address
        login = None
        if address.user is not None:
            login = PlainTextAuthProvider(address.user, address.password or "")
        cluster = Cluster(
            list(address.hosts),
            auth_provider=login,
            ssl_context=self._tls,
            execution_profiles=self._profiles,
            protocol_version=PROTOCOL,
            sockopts=NAGLE_OFF,
            connect_timeout=self.timeout_seconds,
            control_connection_timeout=self.timeout_seconds,
            reconnection_policy=ExponentialReconnectionPolicy(*RECONNECT_SECONDS),
            monitor_reporting_enabled=False,
        )
        try:
            with answering(address):
                session = cluster.connect()
            self._check_centre(cluster)
        except BaseException:
            cluster.shutdown()
            raise
        session.default_fetch_size = PAGE_ROWS
        return session

    def _check_centre(self, cluster: Cluster) -> None:
        wanted = self.address.text("dc")
        found = {host.datacenter for host in cluster.metadata.all_hosts()}
        if wanted and wanted not in found:
            raise Invalid(
                f"{self.address}: there is no data centre {wanted!r}. There are: "
                f"{', '.join(sorted(found))}."
            )


def _profiles(address: Address, timeout_seconds: float) -> dict[str, ExecutionProfile]:
    """Each with its own policy: the driver keeps what a policy knows of the nodes in it."""
    consistency = _level(address, "consistency", CONSISTENCIES)
    serial = _level(address, "serial", SERIAL_CONSISTENCIES)
    if _is_local(address, "consistency") != _is_local(address, "serial"):
        raise Invalid(
            f"{address}: of consistency and serial one is local to a data centre and the other "
            "is not: a commit that a serial read finds could be missing to a plain one. Write "
            "LOCAL_QUORUM and LOCAL_SERIAL, or neither."
        )
    kinds: dict[str, tuple[RetryPolicy, int]] = {
        "commit": (FallthroughRetryPolicy(), consistency),
        "serial": (RetryPolicy(), serial),
        "plain": (RetryPolicy(), consistency),
    }
    return {
        name: ExecutionProfile(
            load_balancing_policy=TokenAwarePolicy(
                DCAwareRoundRobinPolicy(address.text("dc")), shuffle_replicas=name == "plain"
            ),
            retry_policy=retry,
            consistency_level=level,
            serial_consistency_level=serial,
            request_timeout=timeout_seconds,
            row_factory=tuple_factory,
        )
        for name, (retry, level) in kinds.items()
    }


def _level(address: Address, option: str, choices: tuple[str, ...]) -> int:
    return int(ConsistencyLevel.name_to_value[address.choice(option, choices)])


def _is_local(address: Address, option: str) -> bool:
    return address.text(option).startswith("LOCAL_")


def _tls(address: Address) -> ssl.SSLContext | None:
    """Host names are checked. Raises: Invalid where a file cannot be used."""
    if not address.flag("tls"):
        return None
    try:
        context = ssl.create_default_context(cafile=address.text("ca") or None)
        if address.text("cert"):
            context.load_cert_chain(address.text("cert"), address.text("key") or None)
    except OSError as error:
        raise Invalid(
            f"{address}: a file of ca, cert or key cannot be used: {error}"
        ) from error
    return context


def _quieten() -> None:
    """The driver logs what we raise; whoever wants to hear it sets the level of its logger."""
    driver = logging.getLogger("cassandra")
    if driver.level == logging.NOTSET:
        driver.setLevel(logging.CRITICAL + 1)
