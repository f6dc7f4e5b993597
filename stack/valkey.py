"""Valkey as child processes: a server, a server with a replica, a cluster of three."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from airside.adapters.embedded_valkey import find_server
from stack.ports import ports_of
from stack.processes import START_SECONDS_MAX, ServerProcess, start_together, stop_together

HOST = "127.0.0.1"
ANSWER_SECONDS_MAX = 2.0
SLOTS = 16_384


class ValkeyServer:
    """One server on a port of 127.0.0.1; `options` are added to its own and win over them.

    With `{"appendonly": "no"}` it forgets everything when it ends.
    """

    def __init__(
        self, directory: Path, *, port: int = 0, options: Mapping[str, str] | None = None
    ) -> None:
        self._directory = directory.resolve()
        self.port = port or ports_of(directory, 1)[0]
        settings = {
            "bind": HOST,
            "port": str(self.port),
            "dir": str(self._directory),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            **(options or {}),
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        name = f"valkey-{self.port}"
        self.process = ServerProcess(
            name,
            [str(find_server()), *words],
            log=self._directory / f"{name}.log",
            listens=[(HOST, self.port)],
        )

    @property
    def address(self) -> str:
        """host:port."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """As airside and redis-py write it."""
        return f"redis://{self.address}/0"

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """Its one."""
        return (self.process,)

    def start(self) -> None:
        """Return when it answers and has loaded its data. Raises: Unavailable."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self.process.start(self._is_ready)

    def stop(self) -> None:
        """Stop it in good order; what is persisted stays."""
        self.process.stop()

    def kill(self) -> None:
        """End it with `kill -9`; what is persisted stays."""
        self.process.kill()

    def pause(self) -> None:
        """Freeze it."""
        self.process.pause()

    def go_on(self) -> None:
        """Let it go on after a pause."""
        self.process.go_on()

    def client(self) -> redis.Redis:
        """A client of this very server, cluster or not, that repeats nothing. Close it."""
        return redis.Redis(
            host=HOST,
            port=self.port,
            decode_responses=True,
            socket_timeout=ANSWER_SECONDS_MAX,
            retry=Retry(NoBackoff(), 0),
        )

    def _is_ready(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())  # refused while it loads
            except redis.RedisError:
                return False


class ValkeyPair:
    """A primary and its replica, which `promote` makes a primary, as a failover does."""

    def __init__(self, directory: Path, *, options: Mapping[str, str] | None = None) -> None:
        options = {"repl-diskless-sync-delay": "0", **(options or {})}
        self.primary = ValkeyServer(directory / "primary", options=options)
        follow = {"replicaof": f"{HOST} {self.primary.port}"}
        self.replica = ValkeyServer(directory / "replica", options=options | follow)

    def start(self) -> None:
        """Return when the replica has everything the primary had. Raises: Unavailable."""
        self.primary.start()
        try:
            self.replica.start()
            self.replica.process.wait_until(self._is_linked, seconds_max=START_SECONDS_MAX)
        except BaseException:
            self.stop()
            raise

    def promote(self) -> None:
        """Let the replica take writes and follow nobody, with what it has."""
        with self.replica.client() as client:
            client.replicaof("NO", "ONE")

    def stop(self) -> None:
        """Stop both."""
        self.replica.stop()
        self.primary.stop()

    def _is_linked(self) -> bool:
        with self.replica.client() as client:
            about: Any = client.info("replication")
        return bool(about.get("master_link_status") == "up")


class ValkeyCluster:
    """Primaries that share the slots evenly; there are no replicas."""

    def __init__(
        self, directory: Path, *, size: int = 3, options: Mapping[str, str] | None = None
    ) -> None:
        ports = ports_of(directory, 2 * size)
        self._bus = ports[size:]
        self.servers = tuple(
            ValkeyServer(
                directory / f"valkey-{n + 1}",
                port=ports[n],
                options={
                    "cluster-enabled": "yes",
                    "cluster-config-file": "nodes.conf",
                    "cluster-port": str(self._bus[n]),
                    "cluster-node-timeout": "2000",
                    **(options or {}),
                },
            )
            for n in range(size)
        )

    @property
    def url(self) -> str:
        """As airside writes it."""
        return f"redis+cluster://{','.join(server.address for server in self.servers)}"

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """Every server's."""
        return tuple(server.process for server in self.servers)

    def start(self) -> None:
        """Return when every server knows who has which slot. Raises: Unavailable."""
        start_together(self.servers)
        try:
            self._form()
            for server in self.servers:
                server.process.wait_until(
                    partial(self._is_whole, server), seconds_max=START_SECONDS_MAX
                )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all; what is persisted stays."""
        stop_together(self.servers)

    def kill(self) -> None:
        """End all with `kill -9`."""
        for server in self.servers:
            server.kill()

    def _form(self) -> None:
        """Give out the slots where that is not done, and introduce all to the first."""
        size = len(self.servers)
        bounds = [n * SLOTS // size for n in range(size + 1)]
        for n, server in enumerate(self.servers):
            with server.client() as client:
                info = client.execute_command("CLUSTER INFO")
                if int(info["cluster_slots_assigned"]) == 0:
                    client.execute_command(
                        "CLUSTER", "ADDSLOTSRANGE", bounds[n], bounds[n + 1] - 1
                    )
                client.execute_command(
                    "CLUSTER", "MEET", HOST, self.servers[0].port, self._bus[0]
                )

    def _is_whole(self, server: ValkeyServer) -> bool:
        with server.client() as client:
            info = client.execute_command("CLUSTER INFO")
        return (
            info["cluster_state"] == "ok"
            and int(info["cluster_known_nodes"]) == len(self.servers)
            and int(info["cluster_slots_ok"]) == SLOTS
        )
