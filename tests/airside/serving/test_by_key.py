"""The quick way to a stored row: what it takes it answers as its resource would."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from airside.serving.app import query_app
from airside.serving.by_key import ByKey
from airside.web.handler import Edge
from airside.web.quick import QuickHttp
from airside.web.rates import Rates
from tests.kit.in_loop import in_loop, until
from tests.kit.query_service import service_on
from tests.kit.sample import Sample
from tests.kit.tokens import Issuer, bearer

PATH = "/v1/projections/{}/rows/a1?account_id=a1"


@pytest.fixture
def sample() -> Sample:
    return Sample()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("keys"))


class Both:
    """One request, both ways."""

    def __init__(self, sample: Sample, edge: Edge) -> None:
        self._sample, self._edge = sample, edge
        self.quick: tuple[int, dict[str, str], bytes] | None = None
        self.usual = (0, {"": ""}, b"")

    async def ask(self, path: str, **headers: str) -> None:
        """In the names of headers _ stands for -."""
        sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        async with service_on(self._sample) as service:
            app = query_app(service, self._edge)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                client.headers.clear()
                found = await client.get(path, headers=sent)
            self.usual = (found.status_code, _without_id(dict(found.headers)), found.content)
            self.quick = await self._quickly(app.state.quick, path, sent)

    async def _quickly(
        self, quick: ByKey, path: str, sent: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes] | None:
        raw_path, _, query = path.encode().partition(b"?")
        scope = {
            "method": "GET",
            "raw_path": raw_path,
            "query_string": query,
            "headers": [(n.encode(), v.encode()) for n, v in sent.items()],
        }
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if not quick(scope, done.set_result):
            return None
        answer = await done
        return None if answer is None else _parsed(*answer)


def _parsed(head: bytes, body: bytes) -> tuple[int, dict[str, str], bytes]:
    status, *lines = head.decode().splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    return int(status.split()[1]), _without_id(headers), body


def _without_id(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "x-request-id"}


@pytest.mark.parametrize("projection", ["downloads", "licenses", "devices"])
@in_loop
async def test_a_row_is_answered_as_its_resource_would(sample: Sample, projection: str) -> None:
    both = Both(sample, Edge())
    await both.ask(PATH.format(projection))
    assert both.quick == both.usual
    assert both.usual[0] == 200


@in_loop
async def test_a_row_that_the_client_has_is_not_sent_again(sample: Sample) -> None:
    both = Both(sample, Edge())
    await both.ask(PATH.format("devices"))
    await both.ask(PATH.format("devices"), if_none_match=both.usual[1]["etag"])
    assert both.quick == both.usual
    assert (both.usual[0], both.usual[2]) == (304, b"")


@pytest.mark.parametrize(
    "claims", [{}, {"sub": "somebody", "scope": "support"}, {"scope": "operator"}]
)
@in_loop
async def test_who_may_ask_is_answered(
    sample: Sample, issuer: Issuer, claims: dict[str, str]
) -> None:
    both = Both(sample, Edge(tokens=issuer.tokens()))
    await both.ask(PATH.format("devices"), **bearer(issuer.token(**claims)))
    assert both.quick == both.usual
    assert both.usual[0] == 200


@pytest.mark.parametrize("claims", [{"sub": "a2"}, {"exp": 1}, {"aud": "another"}])
@in_loop
async def test_who_may_not_goes_the_usual_way(
    sample: Sample, issuer: Issuer, claims: dict[str, Any]
) -> None:
    both = Both(sample, Edge(tokens=issuer.tokens()))
    await both.ask(PATH.format("devices"), **bearer(issuer.token(**claims)))
    assert both.quick is None
    assert both.usual[0] in {401, 403}


@in_loop
async def test_nobody_goes_the_usual_way(sample: Sample, issuer: Issuer) -> None:
    both = Both(sample, Edge(tokens=issuer.tokens()))
    await both.ask(PATH.format("devices"))
    assert (both.quick, both.usual[0]) == (None, 401)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/projections/devices/rows/nobody?account_id=nobody", 404),
        ("/v1/projections/devices/rows/a1?account_id=a2", 404),
        ("/v1/projections/devices/rows/a1", 400),
        ("/v1/projections/devices/rows/a1?account_id=a1&min_version=1", 200),
        ("/v1/projections/devices/rows/a%31?account_id=a%31", 200),
        ("/v1/projections/titles/rows/a1?account_id=a1", 404),
        ("/v1/projections/unknown/rows/a1?account_id=a1", 404),
        ("/v1/accounts/a1/devices", 200),
    ],
)
@in_loop
async def test_what_is_unusual_goes_the_usual_way(
    sample: Sample, path: str, status: int
) -> None:
    both = Both(sample, Edge())
    await both.ask(path)
    assert (both.quick, both.usual[0]) == (None, status)


@in_loop
async def test_another_host_goes_the_usual_way(sample: Sample) -> None:
    both = Both(sample, Edge())
    await both.ask(PATH.format("devices"), host="evil.example")
    assert (both.quick, both.usual[0]) == (None, 421)


@in_loop
async def test_another_media_type_goes_the_usual_way(sample: Sample) -> None:
    both = Both(sample, Edge())
    await both.ask(PATH.format("devices"), accept="text/html")
    assert (both.quick, both.usual[0]) == (None, 406)


@in_loop
async def test_a_request_counts_once_whichever_way_it_goes(
    sample: Sample, issuer: Issuer
) -> None:
    rates = Rates(1.0, lambda: 0.0)  # two may come at once
    edge = Edge(tokens=issuer.tokens(), rates=rates)
    both = Both(sample, edge)
    path = "/v1/projections/devices/rows/nobody?account_id=nobody"
    await both.ask(path, **bearer(issuer.token(sub="nobody")))
    assert (both.quick, both.usual[0]) == (None, 404)
    await both.ask(path, **bearer(issuer.token(sub="nobody")))
    assert both.usual[0] == 404, "the second; it was looked at three times"
    await both.ask(path, **bearer(issuer.token(sub="nobody")))
    assert (both.quick, both.usual[0]) == (None, 429)
    assert edge.in_flight == 0


@in_loop
async def test_a_server_answers_quick_and_usual_requests_in_their_order(
    sample: Sample, tmp_path: Path
) -> None:
    names = ("a1", "nobody", "a1")
    some = [f"/v1/projections/devices/rows/{name}?account_id={name}" for name in names]
    some.append("/v1/accounts/a1/devices")
    listener = socket.create_server(("127.0.0.1", 0))
    async with service_on(sample) as service:
        config = uvicorn.Config(
            query_app(service, Edge()), http=QuickHttp, lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(
            b"".join(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % p.encode() for p in some)
        )
        writer.write(b"GET %b HTTP/1.1\r\nConnection: close\r\n\r\n" % some[0].encode())
        text = await reader.read(-1)
        writer.close()
        server.should_exit = True
        await serving
    statuses = [part[:3] for part in text.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404", b"200", b"200", b"200"]
    assert text.count(b"connection: close") == 1
