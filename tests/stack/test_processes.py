"""A child process of ours: stopped, killed, frozen, and gone when we are gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.errors import Unavailable
from stack.ports import PORTS, answers, free_ports, ports_of
from stack.processes import ServerProcess, start_together

HOST = "127.0.0.1"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
LISTEN = "import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(600)"
# A parent that starts the server, says its process id, and waits to be killed.
PARENT = """
import sys, time
from pathlib import Path
from stack.processes import ServerProcess
server = ServerProcess("child", [sys.executable, "-c", "import time; time.sleep(600)"],
                       log=Path(sys.argv[1]), listens=[])
server.spawn()
print(server.pid, flush=True)
time.sleep(600)
"""

Listener = Callable[..., ServerProcess]


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def listener(tmp_path: Path, port: int) -> Iterator[Listener]:
    """Make a server of a few lines of Python on the port."""
    made: list[ServerProcess] = []

    def make(program: str = LISTEN, name: str = "listener") -> ServerProcess:
        command = [sys.executable, "-c", program.format(port=port)]
        log = tmp_path / f"{name}.log"
        made.append(ServerProcess(name, command, log=log, listens=[(HOST, port)]))
        return made[-1]

    yield make
    for server in made:
        server.kill()


def ends(pid: int) -> bool:
    """Whether the process is gone within ten seconds."""
    for _ in range(1_000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_a_server_is_ready_when_start_returns_and_gone_when_stop_returns(
    listener: Listener, port: int
) -> None:
    server = listener()
    server.start(lambda: answers(HOST, port))
    pid = server.pid
    assert answers(HOST, port)

    server.stop()

    assert not server.is_running
    assert ends(pid)
    assert not answers(HOST, port)


def test_a_killed_server_starts_again_on_the_same_port(listener: Listener, port: int) -> None:
    server = listener()
    server.start(lambda: answers(HOST, port))
    server.kill()
    assert not answers(HOST, port)

    server.start(lambda: answers(HOST, port))

    assert answers(HOST, port)


def test_a_server_that_ignores_term_is_killed_after_the_bound(
    listener: Listener, port: int
) -> None:
    server = listener(STUBBORN + LISTEN)
    server.start(lambda: answers(HOST, port))

    server.stop(seconds_max=0.2)

    assert not server.is_running


@pytest.mark.parametrize("end", [ServerProcess.stop, ServerProcess.kill])
def test_a_paused_server_can_be_ended(
    listener: Listener, port: int, end: Callable[[ServerProcess], None]
) -> None:
    server = listener()
    server.start(lambda: answers(HOST, port))
    server.pause()

    end(server)

    assert not server.is_running


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_server_stands_still_while_it_is_paused(listener: Listener, port: int) -> None:
    server = listener()
    server.start(lambda: answers(HOST, port))
    stat = Path(f"/proc/{server.pid}/stat")

    server.pause()
    paused = stat.read_text().rpartition(")")[2].split()[0]
    server.go_on()
    going = stat.read_text().rpartition(")")[2].split()[0]

    assert paused == "T"
    assert going != "T"


def test_a_server_that_dies_at_its_start_shows_the_end_of_its_log(
    listener: Listener, tmp_path: Path
) -> None:
    server = listener("import sys; sys.exit('no such option: --frobnicate')")

    with pytest.raises(Unavailable, match="ended while it started") as failure:
        server.start(lambda: False)

    assert "no such option: --frobnicate" in str(failure.value)
    assert str(tmp_path / "listener.log") in str(failure.value)


def test_a_server_that_never_gets_ready_is_not_left_running(listener: Listener) -> None:
    server = listener()

    with pytest.raises(Unavailable, match="not ready after"):
        server.start(lambda: False, seconds_max=0.2)

    assert not server.is_running


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    server = ServerProcess("nothing", ["/no/such/server"], log=tmp_path / "log", listens=[])

    with pytest.raises(Unavailable, match="/no/such/server"):
        server.spawn()


def test_a_taken_port_is_said_and_not_mistaken_for_readiness(
    listener: Listener, port: int
) -> None:
    listener().start(lambda: answers(HOST, port))
    second = listener(name="second")

    with pytest.raises(Unavailable, match=f"{HOST}:{port} is taken"):
        second.start(lambda: answers(HOST, port))


def test_if_one_of_many_does_not_start_none_is_left_running(tmp_path: Path) -> None:
    class Quick:
        def __init__(self, name: str, program: str) -> None:
            command = [sys.executable, "-c", program]
            self.process = ServerProcess(name, command, log=tmp_path / name, listens=[])

        def start(self) -> None:
            self.process.start(lambda: False, seconds_max=600.0)

        def stop(self) -> None:
            self.process.stop()

        def kill(self) -> None:
            self.process.kill()

    slow, broken = Quick("slow", "import time; time.sleep(600)"), Quick("broken", "1 / 0")

    with pytest.raises(Unavailable):
        start_together([slow, broken])

    assert not slow.process.is_running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_ends_with_its_parent_however_that_ends(
    tmp_path: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, 0)  # it lives

        parent.send_signal(number)

    assert ends(child)


def test_ports_stay_with_their_directory(tmp_path: Path) -> None:
    first = ports_of(tmp_path / "one", 3)

    assert ports_of(tmp_path / "one", 3) == first
    assert ports_of(tmp_path / "two", 3) != first


def test_ports_are_not_of_the_range_for_outgoing_connections() -> None:
    ports = free_ports(50)

    assert len(set(ports)) == 50
    assert set(ports) <= set(PORTS)
    assert PORTS.stop < 32_768  # where Linux begins


def test_a_host_that_is_not_ours_is_said() -> None:
    with pytest.raises(Unavailable, match="no address of this machine"):
        free_ports(1, hosts=["192.0.2.1"])
