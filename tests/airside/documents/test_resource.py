"""Documents over HTTP: of active licenses, for whoever may see them."""

import asyncio
from pathlib import Path

import httpx
import pytest

from airside.documents.document import Documents
from airside.documents.keys import SigningKeys, make_keys
from airside.documents.resource import DOCUMENTS
from airside.web.app import make_app
from airside.web.handler import Edge
from schemas.events import AccountOpened, LicenseIssued, LicenseReleased
from tests.kit.documents import verified
from tests.kit.gateway import ServedReads
from tests.kit.happenings import NOW, happened, history, id_of
from tests.kit.served import Served
from tests.kit.tokens import Issuer, bearer

LATER = NOW + 60_000
ACTIVE, RELEASED, EXPIRED, UNKNOWN = id_of(1), id_of(2), id_of(3), id_of(4)


class Told:
    """A service with four licenses to ask about, one of which is none."""

    def __init__(self, keys: SigningKeys | None) -> None:
        served = Served()
        served.happened(
            history(
                happened(AccountOpened),
                happened(LicenseIssued, license_id=ACTIVE),
                happened(LicenseIssued, license_id=RELEASED),
                happened(LicenseReleased, license_id=RELEASED),
                happened(LicenseIssued, license_id=EXPIRED, expires_at=NOW + 1),
            )
        )
        self.reads = ServedReads(served)
        self.documents = None if keys is None else Documents(keys, lambda: LATER)


def got(service: Told, path: str, edge: Edge | None = None, token: str = "") -> httpx.Response:
    """One GET, in a loop of its own."""

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(DOCUMENTS, service, edge or Edge()))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost"
        ) as client:
            return await client.get(path, headers=bearer(token) if token else {})

    return asyncio.run(get())


def document_path(license_id: str) -> str:
    return f"/v1/accounts/a1/licenses/{license_id}/document"


@pytest.fixture
def keys(tmp_path: Path) -> SigningKeys:
    return make_keys(tmp_path / "signing.json")


def test_a_device_checks_what_it_got_with_the_keys_that_are_published(
    keys: SigningKeys,
) -> None:
    service = Told(keys)
    response = got(service, document_path(ACTIVE))
    jwks = got(service, "/.well-known/jwks.json").json()
    claims = verified(response.text, jwks, device_id="d1", now_s=LATER // 1_000)
    assert (claims["jti"], claims["sub"], claims["iat"]) == (ACTIVE, "a1", LATER // 1_000)
    assert response.headers["Content-Type"] == "application/jose"
    assert response.headers["Cache-Control"] == "no-store"


def test_the_published_keys_hold_nothing_private(keys: SigningKeys) -> None:
    response = got(Told(keys), "/.well-known/jwks.json")
    assert response.headers["Content-Type"] == "application/jwk-set+json"
    assert ["d" in key for key in response.json()["keys"]] == [False]


@pytest.mark.parametrize(
    ("license_id", "status", "code"),
    [
        (RELEASED, 409, "LICENSE_TERMINAL"),
        (EXPIRED, 409, "LICENSE_EXPIRED"),
        (UNKNOWN, 404, ""),
    ],
)
def test_of_a_license_that_is_over_there_is_none_and_the_reason_is_said(
    license_id: str, status: int, code: str, keys: SigningKeys
) -> None:
    response = got(Told(keys), document_path(license_id))
    assert (response.status_code, response.json().get("code", "")) == (status, code)
    assert license_id in response.json()["detail"]


@pytest.mark.parametrize("path", [document_path(ACTIVE), "/.well-known/jwks.json"])
def test_without_a_signing_key_it_says_how_to_make_one(path: str) -> None:
    response = got(Told(None), path)
    assert response.status_code == 404
    assert "airside keygen" in response.json()["detail"]


@pytest.mark.parametrize(
    ("subject", "scope", "status"),
    [("a1", "member", 200), ("a2", "member", 403), ("eve", "support", 200)],
)
def test_a_member_gets_its_own_documents_alone(
    subject: str, scope: str, status: int, keys: SigningKeys, tmp_path: Path
) -> None:
    issuer = Issuer(tmp_path)
    token = issuer.token(sub=subject, scope=scope)
    response = got(Told(keys), document_path(ACTIVE), Edge(tokens=issuer.tokens()), token)
    assert response.status_code == status


def test_the_keys_need_no_token(keys: SigningKeys, tmp_path: Path) -> None:
    edge = Edge(tokens=Issuer(tmp_path).tokens())
    assert got(Told(keys), "/.well-known/jwks.json", edge).status_code == 200
