"""Apache Cassandra as child processes: one node, or a cluster of three."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from cassandra import DriverException
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import WhiteListRoundRobinPolicy

from stack.jars import CASSANDRA, fetch, find_java
from stack.ports import answers, ports_of
from stack.processes import START_SECONDS_MAX, ServerProcess, start_together, stop_together

JVM = ("-Xms512m", "-Xmx1g", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
# Starts with half the work (6 CPU-seconds instead of 11); compiled code is slower for it.
QUICK_START = ("-XX:TieredStopAtLevel=1",)
LOGBACK = Path(__file__).with_name("cassandra.logback.xml")
TOKENS = 2**64  # from -2**63
# What Cassandra's own jvm17-server.options opens to it.
EXPORTS = (
    "java.base/jdk.internal.misc", "java.base/jdk.internal.ref", "java.base/sun.nio.ch",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi", "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server", "java.rmi/sun.rmi.transport.tcp", "java.sql/java.sql",
    "java.base/java.lang.ref", "jdk.unsupported/sun.misc", "java.rmi/sun.rmi.transport",
)  # fmt: skip
OPENS = (
    "java.base/java.lang.module", "java.base/jdk.internal.loader", "java.base/java.lang",
    "java.base/jdk.internal.ref", "java.base/jdk.internal.reflect", "java.base/java.math",
    "java.base/jdk.internal.math", "java.base/jdk.internal.module", "java.base/java.nio",
    "java.base/jdk.internal.util.jar", "jdk.management/com.sun.management.internal",
    "java.base/sun.nio.ch", "java.base/java.io", "java.base/java.util", "java.base/java.net",
    "java.base/java.util.concurrent", "java.base/java.util.concurrent.atomic",
    "java.base/java.lang.reflect", "java.base/java.lang.ref",
)  # fmt: skip
# Small, so that a data directory stays small; durable (commitlog_sync), so that a node alone
# loses nothing that it acknowledged when it is killed.
SETTINGS: Mapping[str, object] = {
    "cluster_name": "airside",
    "num_tokens": 1,
    "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
    "endpoint_snitch": "SimpleSnitch",
    "auto_bootstrap": False,
    "paxos_variant": "v2",
    "commitlog_sync": "batch",
    "commitlog_segment_size": "8MiB",
    "commitlog_total_space": "64MiB",
    "memtable_heap_space": "64MiB",
    "memtable_offheap_space": "64MiB",
    "file_cache_size": "64MiB",
    "networking_cache_size": "32MiB",
    "concurrent_reads": 16,
    "concurrent_writes": 16,
    "concurrent_compactors": 1,
    "auto_snapshot": False,
}

# As Cassandra is usually run, and several times faster: what came in the last 100 ms is lost
# with the process, what came in the last 10 s with the machine. Replicas make up for it.
PERIODIC: Mapping[str, object] = {
    "commitlog_sync": "periodic",
    "commitlog_sync_period": "10s",
}

# For measurements: with room, as a server has it. The small sizes above flush and compact all
# the time, which costs the node twice as much for each event.
ROOMY: Mapping[str, object] = {
    **PERIODIC,
    "commitlog_segment_size": "32MiB",
    "commitlog_total_space": "2GiB",
    "memtable_heap_space": "512MiB",
    "memtable_offheap_space": "512MiB",
}
ROOMY_JVM = ("-Xms2g", "-Xmx2g")


class CassandraNode:
    """One node; `settings` are added to its cassandra.yaml and win over the ones here.

    `jvm` are options of the Java machine; give none to measure how fast it is.
    """

    def __init__(
        self,
        directory: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        storage_port: int = 0,
        seeds: Sequence[str] = (),
        token: int = -(2**63),
        settings: Mapping[str, object] | None = None,
        jvm: Sequence[str] = QUICK_START,
    ) -> None:
        self._directory = directory.resolve()
        self._jvm = tuple(jvm)
        if not port:
            port, storage_port = ports_of(directory, 2, hosts=(host,))
        self.host, self.port = host, port
        self._settings = {
            **SETTINGS,
            "initial_token": str(token),
            "listen_address": host,
            "rpc_address": host,
            "native_transport_port": port,
            "storage_port": storage_port,
            "seed_provider": [
                {
                    "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                    "parameters": [{"seeds": ",".join(seeds) or f"{host}:{storage_port}"}],
                }
            ],
            **(settings or {}),
        }
        self._config = self._directory / "cassandra.yaml"
        name = f"cassandra-{host}"
        self.process = ServerProcess(
            name,
            self._command(),
            log=self._directory / f"{name}.log",
            listens=[(host, port), (host, storage_port)],
        )

    @property
    def address(self) -> str:
        """host:port of the CQL protocol."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """As airside writes it."""
        return f"cassandra://{self.address}/airside"

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """Its one."""
        return (self.process,)

    def start(self) -> None:
        """Return when it takes CQL. Raises: Unavailable."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._config.write_text(json.dumps(self._settings, indent=1))  # JSON is YAML too
        # The node opens this port last, when it has joined and takes statements.
        self.process.start(lambda: answers(self.host, self.port))

    def stop(self) -> None:
        """Stop it in good order; the data stay."""
        self.process.stop()

    def kill(self) -> None:
        """End it with `kill -9`; the data stay."""
        self.process.kill()

    def pause(self) -> None:
        """Freeze it."""
        self.process.pause()

    def go_on(self) -> None:
        """Let it go on after a pause."""
        self.process.go_on()

    def _command(self) -> list[str]:
        own = {
            "cassandra.config": self._config.as_uri(),
            "cassandra.storagedir": str(self._directory / "data"),
            "cassandra-foreground": "yes",
            "cassandra.skip_wait_for_gossip_to_settle": "0",
            "cassandra.ring_delay_ms": "0",
            "jdk.attach.allowAttachSelf": "true",
            "logback.configurationFile": str(LOGBACK),
        }
        return [
            str(find_java()),
            *JVM,
            *self._jvm,
            *(f"--add-exports={name}=ALL-UNNAMED" for name in EXPORTS),
            *(f"--add-opens={name}=ALL-UNNAMED" for name in OPENS),
            *(f"-D{name}={value}" for name, value in own.items()),
            "-cp",
            f"{fetch(CASSANDRA)}/*",
            "org.apache.cassandra.service.CassandraDaemon",
        ]


class CassandraCluster:
    """Nodes on 127.0.0.1, .2, .3 with the same ports, each owning the same share of the ring.

    All are seeds and none bootstraps: they start at once, for the cluster is empty or whole.
    """

    def __init__(
        self,
        directory: Path,
        *,
        size: int = 3,
        settings: Mapping[str, object] | None = None,
        jvm: Sequence[str] = QUICK_START,
    ) -> None:
        hosts = [f"127.0.0.{n + 1}" for n in range(size)]
        port, storage_port = ports_of(directory, 2, hosts=hosts)
        self.nodes = tuple(
            CassandraNode(
                directory / f"cassandra-{n + 1}",
                host=host,
                port=port,
                storage_port=storage_port,
                seeds=[f"{seed}:{storage_port}" for seed in hosts],
                token=n * TOKENS // size - 2**63,
                settings=settings,
                jvm=jvm,
            )
            for n, host in enumerate(hosts)
        )

    @property
    def url(self) -> str:
        """As airside writes it."""
        hosts = ",".join(node.address for node in self.nodes)
        return f"cassandra://{hosts}/airside?replication={len(self.nodes)}"

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """Every server's."""
        return tuple(server.process for server in self.nodes)

    def start(self) -> None:
        """Return when every node sees every other. Raises: Unavailable; none runs then."""
        start_together(self.nodes)
        try:
            for node in self.nodes:
                node.process.wait_until(
                    partial(self._is_whole, node), seconds_max=START_SECONDS_MAX
                )
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop all; the data stay."""
        stop_together(self.nodes)

    def kill(self) -> None:
        """End all with `kill -9`."""
        for node in self.nodes:
            node.kill()

    def _is_whole(self, node: CassandraNode) -> bool:
        """Whether the others are peers of this one, with the same schema."""
        only = ExecutionProfile(WhiteListRoundRobinPolicy([node.host]))
        with Cluster(
            [node.host], port=node.port, execution_profiles={EXEC_PROFILE_DEFAULT: only}
        ) as cluster:
            try:
                session = cluster.connect()
                peers = list(session.execute("SELECT schema_version FROM system.peers_v2"))
                own = session.execute("SELECT schema_version FROM system.local").one()
            except (DriverException, NoHostAvailable):
                return False
        return len(peers) == len(self.nodes) - 1 and {row[0] for row in peers} == {own[0]}
