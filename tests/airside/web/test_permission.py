"""What each scope may ask, how often, and what everybody else is told."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from airside.web.app import edge_of
from airside.web.handler import Edge
from airside.web.settings import HttpSettings
from tests.kit.in_loop import in_loop
from tests.kit.tokens import AUDIENCE, ISSUER, Issuer, bearer
from tests.kit.web import Boxes, client_of, problem


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


def edge(issuer: Issuer, rate: float = 0.0) -> Edge:
    return edge_of(HttpSettings(keys=issuer.file, issuer=ISSUER, rate_per_second=rate))


@dataclass
class Asked:
    """The answers to some requests, one after the other."""

    answers: list[httpx.Response] = field(default_factory=list)

    @property
    def statuses(self) -> list[int]:
        return [one.status_code for one in self.answers]


def asked(
    edge: Edge,
    *paths: str,
    token: str | None = None,
    method: str = "GET",
    host: str = "localhost",
) -> Asked:
    found = Asked()

    @in_loop
    async def ask() -> None:
        headers = {"Host": host} | ({} if token is None else bearer(token))
        async with client_of(Boxes(), edge) as client:
            for path in paths:
                found.answers.append(await client.request(method, path, headers=headers))

    ask()
    return found


def test_without_a_token_nothing_is_told(issuer: Issuer) -> None:
    found = asked(edge(issuer), "/boxes/a1", "/content").answers

    assert [problem(one)[:2] for one in found] == [(401, "unauthenticated")] * 2
    assert found[0].headers["www-authenticate"].startswith("Bearer")


def test_what_is_open_to_everybody_needs_no_token(issuer: Issuer) -> None:
    assert asked(edge(issuer), "/slow").statuses == [503]  # it was asked, and is slow


def test_a_member_sees_its_own_and_no_other(issuer: Issuer) -> None:
    own, other = asked(edge(issuer), "/boxes/a1", "/boxes/a2", token=issuer.token()).answers

    assert own.status_code == 200
    assert problem(other)[:2] == (403, "forbidden")
    assert 'error="insufficient_scope"' in other.headers["www-authenticate"]


@pytest.mark.parametrize("subject", ["a1%", "A1", "a1 ", "a1/"])
def test_an_account_is_what_its_id_says_letter_by_letter(issuer: Issuer, subject: str) -> None:
    assert asked(edge(issuer), "/boxes/a1", token=issuer.token(sub=subject)).statuses == [403]


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [("member", [403, 403]), ("support", [200, 403]), ("operator", [200, 202])],
)
def test_a_scope_may_what_the_smaller_ones_may(
    issuer: Issuer, scope: str, statuses: list[int]
) -> None:
    token = issuer.token(scope=scope, sub="somebody")

    found = asked(edge(issuer), "/content", token=token).statuses
    found += asked(edge(issuer), "/fill", token=token, method="POST").statuses

    assert found == statuses


def test_support_sees_any_account(issuer: Issuer) -> None:
    token = issuer.token(scope="support", sub="somebody")

    assert asked(edge(issuer), "/boxes/a1", "/boxes/a2", token=token).statuses == [200, 200]


def test_two_tokens_at_once_are_none(issuer: Issuer) -> None:
    found: list[httpx.Response] = []

    @in_loop
    async def ask() -> None:
        several: Any = [("Authorization", f"Bearer {issuer.token()}")] * 2
        async with client_of(Boxes(), edge(issuer)) as client:
            found.append(await client.get("/boxes/a1", headers=several))

    ask()

    assert problem(found[0])[:2] == (401, "unauthenticated")


def test_a_member_that_asks_too_often_is_told_when_to_ask_again(issuer: Issuer) -> None:
    limited = edge(issuer, rate=0.001)
    once = asked(limited, "/boxes/a1", token=issuer.token(sub="a1"))
    again = asked(limited, "/boxes/a1", token=issuer.token(sub="a1"))
    other = asked(limited, "/boxes/a2", token=issuer.token(sub="a2"))

    assert (once.statuses, other.statuses) == ([200], [200])
    assert problem(again.answers[0])[:2] == (429, "too-many-requests")
    assert int(again.answers[0].headers["retry-after"]) > 0


def test_without_keys_everybody_is_an_operator() -> None:
    assert asked(edge_of(HttpSettings()), "/boxes/a1", "/content").statuses == [200, 200]


def test_the_audience_is_what_the_settings_say(issuer: Issuer) -> None:
    strict = edge_of(HttpSettings(keys=issuer.file, audience="another"))

    assert asked(strict, "/boxes/a1", token=issuer.token()).statuses == [401]
    assert asked(strict, "/boxes/a1", token=issuer.token(aud="another")).statuses == [200]
    assert asked(edge(issuer), "/boxes/a1", token=issuer.token(aud=AUDIENCE)).statuses == [200]


def test_where_keys_are_missing_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"none\.json"):
        edge_of(HttpSettings(keys=tmp_path / "none.json"))


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.8.8.8", "[::1]:8080", "a.localhost"],
)
def test_without_keys_this_machine_is_answered_to_by_its_own_names(host: str) -> None:
    assert asked(Edge(), "/boxes/a1", host=host).statuses == [200]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example:80", "192.0.2.7", "127.0.0.1.evil.example", ""],
)
def test_without_keys_no_other_name_is_answered_to(host: str) -> None:
    found = asked(Edge(), "/boxes/a1", host=host).answers[0]

    assert problem(found)[:2] == (421, "misdirected")
    assert "--keys" in found.text


def test_with_keys_any_name_is_answered_to(issuer: Issuer) -> None:
    token = issuer.token(sub="a1")

    assert asked(edge(issuer), "/boxes/a1", token=token, host="any.example").statuses == [200]
