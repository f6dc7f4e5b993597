"""The servers behind the address of a view store: one, the master of a service, or a cluster.

    redis://user:password@host:6379/0            one server, or what always leads to the master
    unix:///path/to/socket
    redis+sentinel://host:26379,host2/service    the master, wherever the sentinels say it is
    redis+cluster://host:6379,host2              every master of the cluster

`rediss` instead of `redis` for TLS. Options (`?ssl_ca_certs=…`) are those that redis-py reads
from an address, and for sentinels that have their own user `sentinel_username` and
`sentinel_password`.
"""

import socket
from collections.abc import Sequence
from typing import Any, NoReturn, cast
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import ConstantBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import parse_url
from redis.exceptions import RedisClusterException
from redis.retry import Retry
from redis.sentinel import Sentinel

from schemas.errors import Contradiction, Invalid, Unavailable

Client = redis.Redis | RedisCluster

RETRIES_MAX = 2  # of reads, and of connecting; never of a script
RETRY_PAUSE_SECONDS = 0.1
SEND_BUFFER_BYTES = 2 * 1024 * 1024  # as far as the system allows; TCP finds its own size
CONNECTIONS_MAX = 10_000  # each save under way has one: a worker of many generations has many
SENTINEL_PORT = 26_379
SENTINEL_LOGIN = ("sentinel_username", "sentinel_password")
FAILURES = (redis.RedisError, RedisClusterException)  # redis-py has two trees
LOGIN_FAILURES = (redis.AuthenticationError, redis.exceptions.NoPermissionError)


class Servers:
    """Where to find the owner of a key. Threads may share one."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        """Raises: Invalid; Unavailable and Contradiction where a cluster has to be asked."""
        self.name = f"the view store at {_shown(url)}"
        self._is_stale = False  # the cluster's map of slots
        self._importing: dict[str, Any] = {}  # nodes by address; may own no slot yet
        try:
            _check_options(url)
            self.client = _client(url, timeout_seconds)
        except ValueError as error:
            raise Invalid(
                f"the address of the view store: {str(error).rstrip('.')}. Use "
                "redis://host:6379/0, rediss://… or unix:///path/to/socket; "
                "redis+cluster://host:6379,host2:6379 for a cluster, "
                "redis+sentinel://host:26379/service for sentinels."
            ) from error
        except FAILURES as error:
            self.unavailable(error)
        self.is_cluster = isinstance(self.client, RedisCluster)
        self._cluster: Any = self.client  # where it is one; redis-py's has no types

    def owner(self, key: str) -> redis.Redis:
        """The server that holds a key, as far as we know. Raises: FAILURES."""
        if not self.is_cluster:
            return cast("redis.Redis", self.client)
        self._ask_for_slots()
        return self._node(self._cluster.get_node_from_key(key))

    def last_owner(self, key: str) -> str:
        """A cluster's server that had a key when it was asked last. Raises: FAILURES."""
        return str(self._cluster.get_node_from_key(key).name)

    def masters(self) -> Sequence[redis.Redis]:
        """Every server that rows are written to. Raises: FAILURES."""
        if not self.is_cluster:
            return [cast("redis.Redis", self.client)]
        self._ask_for_slots()
        return [self._node(node) for node in self._cluster.get_primaries()]

    def check(self) -> None:
        """Connect to every master. Raises: Unavailable; Contradiction where one is no use."""
        try:
            for master in self.masters():
                cluster: Any = master.info("cluster")
                if cluster.get("cluster_enabled", 0) and not self.is_cluster:
                    raise Contradiction(
                        f"{self.name} is one server of a cluster. Write redis+cluster:// "
                        "before its address instead of redis://"
                    )
        except FAILURES as error:
            self.unavailable(error)

    def moved(self, moved: redis.exceptions.MovedError) -> None:
        """A slot has another owner from now on."""
        self._cluster.nodes_manager.move_slot(moved)

    def importing(self, ask: redis.exceptions.AskError) -> redis.Redis:
        """The server to ask for this once."""
        node: Any = ClusterNode(ask.host, ask.port)  # type: ignore[no-untyped-call]
        return self._node(self._importing.setdefault(node.name, node))

    def lost(self) -> None:
        """A server did not answer: ask who owns what before the next request."""
        self._is_stale = self.is_cluster

    def unavailable(self, error: Exception) -> NoReturn:
        """Say that a server could not be asked. Raises: Unavailable, or its own refusal."""
        if isinstance(error.__cause__, Contradiction):
            raise error.__cause__
        hint = "Is the server up?"
        if _is_login(error):
            hint = "Check user and password."
        elif "DB index" in str(error):
            hint = "Name a database that the server has, as in redis://host:6379/0."
        raise Unavailable(f"{self.name}: {str(error).rstrip('.')}. {hint}") from error

    def close(self) -> None:
        """Close every connection."""
        clients: list[Any] = [self.client]
        if self.is_cluster:
            nodes = (*self._cluster.get_nodes(), *self._importing.values())
            clients = [node.redis_connection for node in nodes if node.redis_connection]
        self.client.close()
        for client in clients:
            client.connection_pool.disconnect()

    def _ask_for_slots(self) -> None:
        if self._is_stale:
            known = [(node.host, node.port) for node in self._cluster.get_nodes()]
            self._cluster.nodes_manager.initialize(additional_startup_nodes_info=known)
            self._is_stale = False

    def _node(self, node: Any) -> redis.Redis:
        return cast("redis.Redis", self._cluster.get_redis_connection(node))


class RoomyConnection(redis.UnixDomainSocketConnection):
    """Its socket takes a whole save, so that who sends it goes on while the server reads.

    Measured: with the system's 208 KiB a projection took a sixth longer. Over TCP the system
    finds the size itself, up to more than can be set here.
    """

    def _connect(self) -> socket.socket:
        connected: socket.socket = super()._connect()  # type: ignore[no-untyped-call]
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        return connected


def connect(url: str, timeout_seconds: float, **options: Any) -> redis.Redis:
    """A client of one server, not connected yet. Raises: ValueError."""
    if url.startswith("unix://"):
        options["connection_class"] = RoomyConnection
    options.setdefault("max_connections", CONNECTIONS_MAX)
    return redis.Redis.from_url(url, **options, **_one_server(timeout_seconds))


def name_of(connection: Any) -> str:
    """Where a connection leads: host:port, or the path of a socket."""
    if hasattr(connection, "path"):
        return str(connection.path)
    return f"{connection.host}:{connection.port}"


def _client(url: str, timeout_seconds: float) -> Client:
    scheme = url.partition("://")[0]
    if scheme in ("redis+cluster", "rediss+cluster"):
        return _cluster(url, timeout_seconds)
    if scheme in ("redis+sentinel", "rediss+sentinel"):
        return _master_of_service(url, timeout_seconds)
    return connect(url, timeout_seconds, redis_connect_func=_connected)


def _check_options(url: str) -> None:
    """That redis-py knows every option of an address: it would only say so, or drop it, later.

    Raises: ValueError.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.partition("+")[0]
    host = "" if scheme == "unix" else "localhost"
    options: dict[str, Any] = dict(parse_url(f"{scheme}://{host}/?{parts.query}"))  # type: ignore[no-untyped-call]
    for not_of_a_connection in (*SENTINEL_LOGIN, "max_connections"):
        options.pop(not_of_a_connection, None)
    kind = options.pop("connection_class", redis.Connection)
    try:
        kind(**options)  # connects to nothing
    except TypeError as error:
        names = ", ".join(name for name in options if name in str(error)) or parts.query
        raise ValueError(f"redis-py knows no option {names}.") from error


def _cluster(url: str, timeout_seconds: float) -> RedisCluster:
    """Its masters answer for slots even where others have lost theirs."""
    first, *others = _hosts(url, 6_379)
    return RedisCluster(
        url=_of_host(url, *first),
        startup_nodes=[ClusterNode(*host) for host in others],  # type: ignore[no-untyped-call]
        retry=Retry(ConstantBackoff(RETRY_PAUSE_SECONDS), RETRIES_MAX),
        require_full_coverage=False,
        max_connections=CONNECTIONS_MAX,
        dynamic_startup_nodes=False,  # names outlive the numbers that a cluster tells
        redis_connect_func=_refuse_evicting,
        **_timeouts(timeout_seconds),
    )


def _master_of_service(url: str, timeout_seconds: float) -> redis.Redis:
    hosts = _hosts(url, SENTINEL_PORT)
    parts = urlsplit(url)
    service = unquote(parts.path.strip("/"))
    if not service or "/" in service:
        raise ValueError("it names no service, as in redis+sentinel://host:26379/service.")
    options: dict[str, Any] = dict(parse_url(_of_host(url, *hosts[0])))  # type: ignore[no-untyped-call]
    for of_a_host in ("host", "port"):
        del options[of_a_host]
    is_tls = options.pop("connection_class", None) is not None
    user, password = (options.pop(name, None) for name in SENTINEL_LOGIN)
    options |= {"ssl": True} if is_tls else {}
    options.setdefault("max_connections", CONNECTIONS_MAX)
    secure = {name: value for name, value in options.items() if name.startswith("ssl")}
    sentinels = Sentinel(  # type: ignore[no-untyped-call]
        hosts,
        sentinel_kwargs={
            **secure,
            **_one_server(timeout_seconds),
            "username": user,
            "password": password,
        },
    )
    master: redis.Redis = sentinels.master_for(  # type: ignore[no-untyped-call]
        service, redis_connect_func=_connected, **_one_server(timeout_seconds), **options
    )
    return master


def _timeouts(seconds: float) -> dict[str, Any]:
    return {"protocol": 2, "socket_timeout": seconds, "socket_connect_timeout": seconds}


def _one_server(timeout_seconds: float) -> dict[str, Any]:
    retry = Retry(ConstantBackoff(RETRY_PAUSE_SECONDS), RETRIES_MAX)
    return {**_timeouts(timeout_seconds), "retry": retry}


def _hosts(url: str, default_port: int) -> list[tuple[str, int]]:
    hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
    found = [urlsplit(f"//{host}") for host in hosts]
    if not all(host.hostname for host in found):
        raise ValueError("it has an empty host.")
    return [(host.hostname or "", host.port or default_port) for host in found]


def _of_host(url: str, host: str, port: int) -> str:
    """The same address with one host, as redis-py reads it."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    host = f"[{host}]" if ":" in host else host
    scheme = parts.scheme.partition("+")[0]
    return f"{scheme}://{login}{at}{host}:{port}?{parts.query}"


def _shown(url: str) -> str:
    """An address for messages: no user, no password, no options."""
    scheme, _, rest = url.partition("://")
    path = rest.partition("?")[0]
    if scheme == "unix":
        return path[path.find("/") :]
    hosts, slash, name = path.rpartition("@")[2].partition("/")
    return f"{hosts}{slash}{name}" if scheme.endswith("+sentinel") else hosts


def _is_login(error: Exception) -> bool:
    return isinstance(error, LOGIN_FAILURES) or isinstance(error.__cause__, LOGIN_FAILURES)


def _connected(connection: Any) -> None:
    connection.on_connect()
    _refuse_evicting(connection)


def _refuse_evicting(connection: Any) -> None:
    """At every connection, since a replica may become the master with a policy of its own.

    Raises: Contradiction.
    """
    connection.send_command("INFO", "memory")
    lines = connection.read_response().decode().splitlines()
    memory = dict(line.partition(":")[::2] for line in lines)
    policy = memory.get("maxmemory_policy", "noeviction")
    if memory.get("maxmemory", "0") != "0" and policy != "noeviction":
        connection.disconnect()  # or it would be taken for one that passed
        raise Contradiction(
            f"the view store at {name_of(connection)}: maxmemory-policy is {policy}, so rows "
            "would vanish when memory is short. Set it there: CONFIG SET maxmemory-policy "
            "noeviction"
        )
