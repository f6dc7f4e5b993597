"""Waiting for a version, and a thousand open event streams, over real HTTP."""

import http.client
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.options import Options
from benchmarks.service_stage import SHARDS, Server, Stage, account_of
from schemas.record import shard_of

WAITS = 300
PAUSE_SECONDS = 0.02  # that a question waits before the save it waits for
WAKE_MS_MAX = 5.0
STREAMS = 1_000
QUIET_SECONDS, CHANGES = 10.0, 200
READ_BYTES = 1 << 20


def waking(stage: Stage, server: Server, options: Options) -> bool:
    """From the acknowledged save to the answer that waited for it."""
    address = urlsplit(server.url).netloc
    headers = {"Authorization": f"Bearer {stage.token}"}
    late_ms: list[float] = []
    connection = http.client.HTTPConnection(address)

    def answered_at(path: str) -> float:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        assert response.status == 200, response.status
        assert response.headers["Airside-Behind"] is None
        return time.perf_counter()

    with ThreadPoolExecutor(1) as threads:
        for n in range(options.scaled(WAITS)):
            account = account_of(n)
            shard = shard_of(account, SHARDS)
            path = (
                f"/v1/projections/downloads/rows/{account}?account_id={account}"
                f"&min_version={shard}:{stage.seqs[shard] + 1}&wait=30"
            )
            answer = threads.submit(answered_at, path)
            time.sleep(PAUSE_SECONDS)
            stage.happens(account)
            saved_at = time.perf_counter()
            late_ms.append((answer.result() - saved_at) * 1_000)
    connection.close()
    late_ms.sort()
    p50, p99 = late_ms[len(late_ms) // 2], late_ms[int(len(late_ms) * 0.99)]
    reached = p50 <= WAKE_MS_MAX
    print(f"\nwait for a version: {len(late_ms)} saves, one after the other")
    print(
        f"  {'ok  ' if reached else 'MISS'} save acknowledged to answer: p50 {p50:.1f} ms, "
        f"p99 {p99:.1f} ms (target: within {WAKE_MS_MAX:g} ms)"
    )
    return reached


def streaming(stage: Stage, server: Server, options: Options) -> bool:
    """Memory and processor time of open event streams; a report, and that none misses any."""
    host, port = urlsplit(server.url).netloc.split(":")
    before_mib = _resident_mib(server.pid)
    with ExitStack() as resources:
        sockets = [
            resources.enter_context(_opened(host, int(port), stage.token, account_of(n)))
            for n in range(STREAMS)
        ]
        heard = _heard(sockets, "event: state", STREAMS)
        each_kib = (_resident_mib(server.pid) - before_mib) * 1_024 / STREAMS
        quiet = _share(server, lambda: time.sleep(options.scaled(int(QUIET_SECONDS))))

        def changing() -> None:
            for n in range(CHANGES):
                stage.happens(account_of(n * 5))
                time.sleep(PAUSE_SECONDS)

        busy = _share(server, changing)
        changed = _heard(sockets, "event: change", CHANGES)
    print(f"\n{STREAMS:,} open event streams: {heard:,} states, {changed} of {CHANGES} changes")
    print(
        f"  {each_kib:.0f} KiB of the server's memory each; of a core {quiet:.1%} while "
        f"nothing happens, {busy:.1%} with up to {1 / PAUSE_SECONDS:.0f} changes a second"
    )
    return (heard, changed) == (STREAMS, CHANGES)


def _opened(host: str, port: int, token: str, account: str) -> socket.socket:
    stream = socket.create_connection((host, port))
    head = f"GET /v1/accounts/{account}/events HTTP/1.1\r\nHost: a\r\n"
    stream.sendall(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
    return stream


def _heard(sockets: list[socket.socket], what: str, count: int) -> int:
    """How many of these events came, until there are so many or nothing comes for a while."""
    found = 0
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            selector.register(one, selectors.EVENT_READ)
        while found < count and (ready := selector.select(timeout=10.0)):
            for key, _ in ready:
                assert isinstance(key.fileobj, socket.socket)
                found += key.fileobj.recv(READ_BYTES).count(what.encode())
    return found


def _share(server: Server, during: Callable[[], None]) -> float:
    """The share of a core that the server takes meanwhile."""
    began, used = time.monotonic(), server.cpu_seconds()
    during()
    return (server.cpu_seconds() - used) / (time.monotonic() - began)


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1_024
