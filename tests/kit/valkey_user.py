"""A process of its own that uses the embedded server of a directory: `use(directory)`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airside.adapters.embedded_valkey import EmbeddedValkey
from airside.adapters.redis_servers import connect

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def use(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """The process, as soon as it uses the server. It leaves when its standard input ends."""
    command = [sys.executable, "-m", "tests.kit.valkey_user", str(directory)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def server_pid(server: EmbeddedValkey) -> int:
    """The process id of the server, by its own word."""
    with connect(server.url, timeout_seconds=5.0) as client:
        pid = int(client.info("server")["process_id"])
        client.connection_pool.disconnect()
    return pid


def come_and_go(directory: Path, times: int) -> list[int]:
    """Use the server and leave it, over and over; which process it was each time."""
    pids = []
    for _ in range(times):
        with EmbeddedValkey(directory) as server:
            pids.append(server_pid(server))
    return pids


def is_alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


if __name__ == "__main__":
    with EmbeddedValkey(Path(sys.argv[1])):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()
