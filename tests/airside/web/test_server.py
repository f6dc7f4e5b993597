"""A service as a process: where it listens, what it takes, and how it ends."""

import select
import socket
import subprocess
from collections.abc import Iterator

import pytest

from airside.web.protocol import HEAD_BYTES_MAX
from airside.web.server import listening
from airside.web.settings import HttpSettings
from schemas.errors import Invalid, Unavailable
from tests.kit.box_service import (
    WAIT_SECONDS_MAX,
    BoxService,
    box_service,
    everything,
    until,
)

GET = b"GET /content HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def service() -> Iterator[BoxService]:
    with box_service() as running:
        yield running


def asked(service: BoxService, request: bytes) -> bytes:
    """Everything that is answered."""
    with service.connect() as connection:
        connection.sendall(request)
        return everything(connection)


def test_a_request_is_answered(service: BoxService) -> None:
    found = asked(service, GET + b"Connection: close\r\n\r\n")

    assert found.startswith(b"HTTP/1.1 200 OK\r\n")
    assert found.endswith(b'{"apples":7}')


def test_the_server_does_not_say_what_it_is(service: BoxService) -> None:
    assert b"\r\nserver:" not in asked(service, GET + b"Connection: close\r\n\r\n").lower()


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X-Long: " + b"a" * 2 * HEAD_BYTES_MAX + b"\r\n\r\n",
        GET + b"X-Many: 1\r\n" * HEAD_BYTES_MAX + b"\r\n",
        b"GET /" + b"a" * 2 * HEAD_BYTES_MAX + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        GET + b"X-Endless: " + b"a" * 4 * HEAD_BYTES_MAX,
    ],
    ids=["one header", "many headers", "path", "without an end"],
)
def test_a_head_over_its_bound_is_refused(service: BoxService, head: bytes) -> None:
    found = asked(service, head)

    assert found.startswith(b"HTTP/1.1 431 ")
    assert b"urn:airside:problem:head-too-large" in found


def test_a_head_over_its_bound_is_no_mistake_of_the_service() -> None:
    with box_service(stderr=subprocess.PIPE) as service:
        asked(service, b"GET /" + b"a" * 2 * HEAD_BYTES_MAX + b" HTTP/1.1\r\n\r\n")
        service.told_to_stop()

        assert "Traceback" not in service.complaints()


def test_what_is_no_http_is_refused(service: BoxService) -> None:
    found = asked(service, b"\x16\x03\x01\x02\x00 no TLS here\r\n\r\n")

    assert found.startswith(b"HTTP/1.1 400 ")
    assert b"urn:airside:problem:invalid" in found


@pytest.mark.parametrize("begun", [b"", b"GET /con", GET], ids=["nothing", "path", "headers"])
def test_a_head_that_does_not_come_is_not_awaited_for_long(begun: bytes) -> None:
    with box_service("HEAD_SECONDS=0.2") as service:
        assert asked(service, begun) == b""


def test_a_second_head_is_not_awaited_for_long_either() -> None:
    with box_service("HEAD_SECONDS=0.2") as service:
        found = asked(service, GET + b"\r\n" + GET)

    assert found.count(b"HTTP/1.1 200 OK") == 1


@pytest.mark.parametrize(
    ("request_", "more"),
    [(GET + b"\r\n", b"\r\n"), (GET + b"Content-Length: 9\r\n\r\n", b"x")],
    ids=["line ends", "part of a body"],
)
def test_an_idle_connection_is_closed_whatever_trickles_in(
    request_: bytes, more: bytes
) -> None:
    with box_service("KEEP_ALIVE_SECONDS=0.2") as service, service.connect() as connection:
        connection.sendall(request_)
        until(connection, b'{"apples":7}')
        connection.sendall(more)

        assert everything(connection) == b""


def let_go(connection: socket.socket) -> bool:
    """It asked for much, read nothing, and was cut off."""
    connection.sendall(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
    gone = select.poll()
    gone.register(connection, 0)  # it is told of the end alone
    return bool(gone.poll(WAIT_SECONDS_MAX * 1_000))


def test_a_client_that_does_not_read_is_let_go() -> None:
    with box_service("WRITE_SECONDS=0.2") as service, service.connect() as connection:
        assert let_go(connection)


def test_a_client_that_does_not_read_is_no_mistake_of_the_service() -> None:
    bounds = "SEND_SECONDS=0.2", "WRITE_SECONDS=0.4"
    with box_service(*bounds, stderr=subprocess.PIPE) as service:
        with service.connect() as connection:
            assert let_go(connection)
        service.told_to_stop()

        assert "Traceback" not in service.complaints()


def test_a_request_under_way_is_finished_and_no_other_is_begun() -> None:
    with box_service() as service, service.connect() as idle, service.connect() as asking:
        idle.sendall(GET + b"\r\n")
        first = until(idle, b'{"apples":7}')
        asking.sendall(b"GET /patient HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert service.says() == "entered"

        service.told_to_stop()

        assert everything(asking).endswith(b'"at last"')
        assert (first[:15], everything(idle)) == (b"HTTP/1.1 200 OK", b"")
        assert service.ended() == 0
        with pytest.raises(ConnectionRefusedError):
            service.connect()


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(Unavailable, match=f":{port} cannot be listened on.*--port"):
            listening(HttpSettings(port=port)).__enter__()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "service.example"])
def test_without_keys_only_this_machine_is_listened_to(host: str) -> None:
    with pytest.raises(Invalid, match="everybody would be an operator"):
        listening(HttpSettings(host=host, port=0)).__enter__()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.8.8"])
def test_this_machine_is_listened_to_without_keys(host: str) -> None:
    with listening(HttpSettings(host=host, port=0)) as bound:
        assert bound.url.startswith("http://127.")
