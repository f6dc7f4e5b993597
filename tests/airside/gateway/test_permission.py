"""Who may send what to which account, by the token of a request."""

import asyncio
from typing import Any

import httpx
import pytest

from airside.web.handler import Edge
from airside.web.rates import Rates
from tests.kit.gateway import KEY, House, acquire
from tests.kit.tokens import Issuer, bearer

OPEN = {"type": "OpenAccount", "plan_id": "standard", "country": "DE"}
GRANT = {
    "type": "GrantAllowance",
    "count": 1,
    "expires_at": 2_000_000_000_000,
    "title_id": "t1",
}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


def sent(house: House, body: Any, token: str | None, account: str = "a1") -> httpx.Response:
    headers = {} if token is None else bearer(token)
    return asyncio.run(house.send(body, account=account, headers=headers))


@pytest.mark.parametrize(
    ("subject", "scope", "body", "status"),
    [
        ("a1", "member", acquire(), 202),
        ("a2", "member", acquire(), 403),
        ("a1", "member", OPEN, 403),
        ("a1", "member", GRANT, 403),
        ("a1", "member", acquire(actor="support:eve"), 403),
        ("eve", "support", GRANT, 202),
        ("eve", "support", acquire(), 403),
        ("bo", "operator", OPEN, 202),
        ("bo", "operator", acquire(actor="member"), 202),
    ],
)
def test_scope_and_account_say_what_may_be_sent(
    subject: str, scope: str, body: dict[str, Any], status: int, issuer: Issuer
) -> None:
    house = House(Edge(tokens=issuer.tokens()))
    response = sent(house, body, issuer.token(sub=subject, scope=scope))
    assert response.status_code == status, response.text
    assert len(house.topic.commands) == (status == 202)


@pytest.mark.parametrize("token", [None, "nonsense"])
def test_without_a_good_token_nothing_is_sent(token: str | None, issuer: Issuer) -> None:
    house = House(Edge(tokens=issuer.tokens()))
    response = sent(house, acquire(), token)
    assert (response.status_code, house.topic.commands) == (401, [])
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_history_tells_the_subject_of_the_token(issuer: Issuer) -> None:
    house = House(Edge(tokens=issuer.tokens()))
    sent(house, OPEN, issuer.token(sub="bo", scope="operator"))
    assert [command.actor for command in house.topic.commands] == ["operator:bo"]


def test_a_member_that_sends_too_often_is_told_when_to_come_back(issuer: Issuer) -> None:
    rates = Rates(0.5, lambda: 0.0)  # one at once, then one in two seconds
    house = House(Edge(tokens=issuer.tokens(), rates=rates))
    token = issuer.token(sub="a1", scope="member")
    first, second = (sent(house, acquire(), token) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 429)
    assert int(second.headers["Retry-After"]) >= 1
    assert len(house.topic.commands) == 1


def test_nothing_personal_is_logged(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    house = House(Edge(tokens=issuer.tokens()))
    token = issuer.token(sub="personal-account", scope="member")
    sent(house, acquire(device_id="personal-device"), token, account="personal-account")
    sent(house, acquire(device_id=["personal"]), token, account="personal-account")
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("airside")]
    assert "/v1/accounts/{account_id}/commands" in "".join(ours)
    assert [one for one in ours for word in ("personal", KEY, token) if word in one] == []
