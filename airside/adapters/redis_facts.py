"""What a Valkey or Redis server says about itself, for people who look after it."""

import time
from typing import Any

import redis
from msgspec import Struct

from airside.adapters.redis_servers import name_of


class ServerFacts(Struct, frozen=True):
    """One server, when it was asked."""

    name: str  # host:port, or the path of its socket
    version: str  # in words: Valkey 9.1.2
    role: str  # master, slave
    memory_bytes_max: int  # 0: no bound
    eviction_policy: str
    is_append_only: bool
    save: str | None  # when snapshots are written: "3600 1 300 100"; None: it does not tell
    replicas: int  # connected
    memory_bytes: int = 0  # in use
    skew_ms: int = 0  # its clock is so far ahead of ours
    cluster: str = ""  # ok, fail; empty: it is in none, or does not tell

    @property
    def evicts(self) -> bool:
        """Whether rows may vanish when memory is short."""
        return self.memory_bytes_max > 0 and self.eviction_policy != "noeviction"

    @property
    def is_persistent(self) -> bool:
        """Whether rows are there again after a restart, as far as it tells."""
        return self.is_append_only or bool(self.save)


def facts(client: redis.Redis) -> ServerFacts:
    """Ask one server. Raises: redis.RedisError."""
    found: Any = client.info()
    is_valkey = "valkey_version" in found
    number = found["valkey_version" if is_valkey else "redis_version"]
    return ServerFacts(
        name=_name(client),
        version=f"{'Valkey' if is_valkey else 'Redis'} {number}",
        role=found["role"],
        memory_bytes_max=found.get("maxmemory", 0),
        eviction_policy=found.get("maxmemory_policy", "noeviction"),
        is_append_only=bool(found.get("aof_enabled", 0)),
        save=_save(client),
        replicas=found.get("connected_slaves", 0),
        memory_bytes=found.get("used_memory", 0),
        skew_ms=_skew_ms(client),
        cluster=_cluster(client) if found.get("cluster_enabled", 0) else "",
    )


def _name(client: redis.Redis) -> str:
    connection: Any = client.connection_pool.get_connection()
    try:
        return name_of(connection)
    finally:
        client.connection_pool.release(connection)


def _save(client: redis.Redis) -> str | None:
    try:
        found: Any = client.config_get("save")
    except redis.ResponseError:  # a hosted server may not tell its settings
        return None
    save: str | None = found.get("save")
    return save


def _skew_ms(client: redis.Redis) -> int:
    """Against the middle of the request: right to half of its time."""
    before = time.time()
    told: Any = client.time()
    middle = (before + time.time()) / 2
    seconds, microseconds = map(int, told)
    return round((seconds + microseconds / 1e6 - middle) * 1_000)


def _cluster(client: redis.Redis) -> str:
    try:
        found: Any = client.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    except redis.ResponseError:  # not every user may ask
        return ""
    return str(found["cluster_state"])
