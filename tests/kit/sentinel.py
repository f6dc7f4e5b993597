"""A sentinel that watches a pair and makes the replica the primary when the primary is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from airside.adapters.embedded_valkey import find_server
from stack.ports import free_ports
from stack.processes import START_SECONDS_MAX, ServerProcess
from stack.valkey import HOST, ValkeyPair

SERVICE = "views"


@contextmanager
def watched(pair: ValkeyPair, directory: Path) -> Iterator[str]:
    """The sentinel's address, as soon as it knows both servers."""
    (port,) = free_ports(1)
    settings = directory / "sentinel.conf"
    settings.write_text(
        f"bind {HOST}\n"
        f"port {port}\n"
        f"dir {directory}\n"
        f"sentinel monitor {SERVICE} {HOST} {pair.primary.port} 1\n"
        f"sentinel down-after-milliseconds {SERVICE} 300\n"
        f"sentinel failover-timeout {SERVICE} 2000\n"
    )

    def is_ready() -> bool:
        with redis.Redis(host=HOST, port=port) as client:
            try:
                replicas = client.sentinel_slaves(SERVICE)
            except redis.RedisError:
                return False
        return bool(replicas)

    command = [str(find_server()), str(settings), "--sentinel"]
    log = directory / "sentinel.log"
    process = ServerProcess("sentinel", command, log=log, listens=[(HOST, port)])
    process.start(is_ready, seconds_max=START_SECONDS_MAX)
    try:
        yield f"{HOST}:{port}"
    finally:
        process.stop()
