"""One request after the other: what is answered, and what is said instead of an answer."""

import gzip
import logging

import httpx
import pytest
import zstandard

from airside.web.handler import Edge
from airside.web.problems import CONFLICT, rejected
from schemas.errors import (
    AirsideError,
    Contradiction,
    Fenced,
    Hole,
    Invalid,
    NotFound,
    TooLarge,
    Unavailable,
    Unreadable,
)
from tests.kit.in_loop import in_loop
from tests.kit.web import Boxes, client_of, failing, problem


@in_loop
async def test_an_answer_has_what_was_asked_with() -> None:
    async with client_of(Boxes()) as client:
        found = await client.get("/boxes/a%2Fb?limit=3", headers={"X-Color": "red"})

    assert found.status_code == 200
    assert found.json() == {"box": "a/b", "limit": 3, "color": "red"}
    assert found.headers["content-type"] == "application/json"
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/boxes/a?limit=0", "query parameter limit = '0': expected a whole number >= 1"),
        ("/boxes/a?limit=many", "query parameter limit = 'many': expected a whole number"),
        ("/boxes/a?weight=null", "parameter weight = 'null'"),
        ("/boxes/a?limit=1&limit=2", "limit is there twice"),
        ("/boxes/a?limti=1", "There is: limit, weight"),
        ("/boxes/" + "a" * 21, "path parameter box"),
        ("/boxes/%ff", "no UTF-8"),
        ("/boxes/a?limit=%ff", "no UTF-8"),
        ("/boxes/a?" + "&".join(f"limit={n}" for n in range(40)), "over 32 fields"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_named(path: str, words: str) -> None:
    found = asked(Boxes(), path)

    assert problem(found)[:2] == (400, "invalid")
    assert words in found.json()["detail"]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Invalid("no"), 400, "invalid"),
        (NotFound("no"), 404, "not-found"),
        (TooLarge("no"), 413, "too-large"),
        (Contradiction("no"), 409, "conflict"),
        (Unreadable("no"), 422, "unprocessable"),
        (Unavailable("no"), 503, "unavailable"),
        (Fenced("no"), 503, "unavailable"),
        (Hole("no"), 500, "internal"),
    ],
)
def test_every_error_of_ours_is_a_problem(error: AirsideError, status: int, kind: str) -> None:
    assert problem(asked(failing(error), "/boxes/a")) == (status, kind, "no")


def test_what_may_be_mended_says_when_to_ask_again() -> None:
    assert asked(failing(Unavailable("away")), "/boxes/a").headers["retry-after"] == "1"


def test_a_problem_may_have_a_code_of_the_domain() -> None:
    refused = failing(rejected(CONFLICT, "the box is closed", code="BOX_CLOSED"))

    assert asked(refused, "/boxes/a").json()["code"] == "BOX_CLOSED"


def test_a_mistake_is_said_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    boxes = Boxes()
    boxes.failure = KeyError("box a1 of Mrs Example")

    found = asked(boxes, "/boxes/a1")

    assert problem(found)[:2] == (500, "internal")
    assert "Example" not in found.text + caplog.text
    assert found.headers["x-request-id"] in caplog.text
    assert "in look" in caplog.text


def test_the_log_says_nothing_about_whom_was_asked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "airside")

    asked(failing(Unavailable("box Mrs Example/7 is away")), "/boxes/Mrs%20Example%2F7?limit=4")

    assert "box {box} is away" in caplog.text
    assert "route=/boxes/{box} status=503" in caplog.text
    assert "Example" not in caplog.text
    assert "limit=4" not in caplog.text


@pytest.mark.parametrize("path", ["/nowhere", "/boxes/a/b", "/boxes/a/", "/content/"])
def test_a_path_that_is_not_there_is_named(path: str) -> None:
    status, kind, detail = problem(asked(Boxes(), path))

    assert (status, kind) == (404, "no-such-path")
    assert detail.startswith(f"{path} is nothing here.")


@in_loop
async def test_a_method_that_is_not_there_names_those_that_are() -> None:
    async with client_of(Boxes()) as client:
        found = await client.delete("/content")

    assert problem(found)[:2] == (405, "method-not-allowed")
    assert "GET" in found.headers["allow"]
    assert found.json()["detail"] == f"/content takes {found.headers['allow']}, not DELETE."


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/*", "application/json", "text/html, */*;q=0.1"]
)
def test_what_the_client_accepts_is_given(accept: str) -> None:
    assert asked(Boxes(), "/content", Accept=accept).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0, text/*"])
def test_what_the_client_does_not_accept_is_not_given(accept: str) -> None:
    assert problem(asked(Boxes(), "/content", Accept=accept))[:2] == (406, "not-acceptable")


def test_what_the_client_has_already_is_not_sent_again() -> None:
    first = asked(Boxes(), "/content")

    again = asked(Boxes(), "/content", If_None_Match=f'"x", {first.headers["etag"]}')

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == "private, no-cache"


def test_what_has_changed_is_sent() -> None:
    found = asked(Boxes(), "/content", If_None_Match='W/"999"')

    assert (found.status_code, found.json()) == (200, {"apples": 7})


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("gzip, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("*", "zstd"),
        ("identity", None),
        ("zstd;q=0, gzip;q=0", None),
    ],
)
@in_loop
async def test_a_long_answer_comes_in_the_encoding_that_the_client_likes_best(
    accepted: str, encoding: str | None
) -> None:
    boxes = Boxes()
    boxes.content = b'{"apples":%s}' % (b"7" * 3_000)
    async with (
        client_of(boxes) as client,
        client.stream("GET", "/content", headers={"Accept-Encoding": accepted}) as found,
    ):
        raw = b"".join([part async for part in found.aiter_raw()])

    assert found.headers.get("content-encoding") == encoding
    assert _decoded(raw, encoding) == boxes.content
    assert "accept-encoding" in found.headers["vary"]


def test_a_short_answer_is_not_compressed() -> None:
    assert "content-encoding" not in asked(Boxes(), "/content").headers


@in_loop
async def test_a_body_over_its_bound_is_refused_whether_it_says_so_or_not() -> None:
    async def parts() -> object:
        yield b"12345"
        yield b"6789"

    async with client_of(Boxes()) as client:
        said = await client.post("/fill", content=b"123456789")
        unsaid = await client.post("/fill", content=parts())  # type: ignore[arg-type]
        small = await client.post("/fill", content=b"12345678")

    assert problem(said)[:2] == problem(unsaid)[:2] == (413, "too-large")
    assert (small.status_code, small.content) == (202, b"12345678")


def test_what_is_not_answered_in_time_is_given_up() -> None:
    found = asked(Boxes(), "/slow")

    assert problem(found)[:2] == (503, "unavailable")
    assert "no answer within 0.05 s" in found.json()["detail"]


@in_loop
async def test_more_than_can_be_under_way_is_told_at_once() -> None:
    boxes, edge = Boxes(), Edge(in_flight_max=0)
    async with client_of(boxes, edge) as client:
        full = await client.get("/content")
        edge.in_flight_max = 1
        free = await client.get("/content")

    assert problem(full)[:2] == (503, "unavailable")
    assert (free.status_code, edge.in_flight) == (200, 0)


@in_loop
async def test_every_answer_is_observed_by_its_route() -> None:
    seen: list[tuple[str, int]] = []
    edge = Edge(observe=lambda route, status, _: seen.append((route, status)))
    async with client_of(Boxes(), edge) as client:
        await client.get("/boxes/a1")
        await client.get("/boxes/a1?limit=0")
        await client.get("/content", headers={"If-None-Match": "*"})
        await client.get("/nowhere")

    assert seen == [
        ("/boxes/{box}", 200),
        ("/boxes/{box}", 400),
        ("/content", 304),
        ("(no route)", 404),
    ]


def asked(boxes: Boxes, path: str, **headers: str) -> httpx.Response:
    """The answer to one request; in the names of headers _ stands for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found: list[httpx.Response] = []

    @in_loop
    async def ask() -> None:
        async with client_of(boxes) as client:
            found.append(await client.get(path, headers=named))

    ask()
    return found[0]


def _decoded(raw: bytes, encoding: str | None) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(raw)
    return zstandard.ZstdDecompressor().decompress(raw) if encoding == "zstd" else raw
