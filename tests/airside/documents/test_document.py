"""License documents: what they say, and that a device finds out whatever is wrong with one."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from airside.documents.document import Documents, LicenseOver
from airside.documents.keys import SigningKeys, public_jwk
from queries.licenses import LicenseAnswer
from tests.kit.documents import DAY, LICENSE_ID, NOW, answer, packed, unpacked, verified

NOW_S = NOW // 1_000


def fresh_keys() -> SigningKeys:
    private = Ed25519PrivateKey.generate()
    public = public_jwk(private)
    return SigningKeys(public["kid"], private, (public,))


KEYS = fresh_keys()
DOCUMENTS = Documents(KEYS, lambda: NOW)


def claims_of(document: str, *, device_id: str = "d1", now_s: int = NOW_S) -> dict[str, Any]:
    return verified(document, KEYS.jwks(), device_id=device_id, now_s=now_s)


def with_part(document: str, part: int, change: Callable[[dict[str, Any]], object]) -> str:
    """The document with something changed in its header (0) or its claims (1)."""
    parts = document.split(".")
    content = json.loads(unpacked(parts[part]))
    change(content)
    parts[part] = packed(json.dumps(content).encode())
    return ".".join(parts)


def test_a_device_reads_the_terms_of_its_license_offline() -> None:
    assert claims_of(DOCUMENTS.document(answer())) == {
        "iss": "airside",
        "sub": "a1",
        "aud": "d1",
        "jti": LICENSE_ID,
        "iat": NOW_S,
        "exp": NOW_S + 29 * 86_400,
        "version": 17,
        "license": {
            "title_id": "t1",
            "studio_id": "s1",
            "profile_id": "main",
            "quality": "high",
            "drm": "widevine",
        },
        "terms": {
            "issued_at": NOW - DAY,
            "expires_at": NOW + 29 * DAY,
            "renewals": 2,
            "renewed_at": NOW - 1_000,
            "play_window_s": 172_800,
            "first_played_at": None,
        },
    }


def test_it_is_compact() -> None:
    assert len(DOCUMENTS.document(answer())) < 1_000


@pytest.mark.parametrize(
    "change",
    [
        lambda claims: claims.update(exp=claims["exp"] + 1),
        lambda claims: claims.update(aud="d2"),
        lambda claims: claims["terms"].update(play_window_s=None),
        lambda claims: claims["license"].update(title_id="t2"),
    ],
)
def test_whatever_is_changed_in_it_is_found(change: Callable[[dict[str, Any]], object]) -> None:
    document = with_part(DOCUMENTS.document(answer()), 1, change)
    with pytest.raises(InvalidSignature):
        claims_of(document, device_id=json.loads(unpacked(document.split(".")[1]))["aud"])


def test_a_signature_cannot_be_left_out() -> None:
    header, claims, _ = DOCUMENTS.document(answer()).split(".")
    with pytest.raises(InvalidSignature):
        claims_of(f"{header}.{claims}.")


def test_another_key_is_not_taken_for_ours() -> None:
    other = Documents(fresh_keys(), lambda: NOW).document(answer())
    with pytest.raises(KeyError):
        claims_of(other)
    forged = with_part(other, 0, lambda header: header.update(kid=KEYS.key_id))
    with pytest.raises(InvalidSignature):
        claims_of(forged)


def test_it_is_over_when_the_license_is() -> None:
    document = DOCUMENTS.document(answer())
    ends_s = NOW_S + 29 * 86_400
    claims_of(document, now_s=ends_s - 1)
    with pytest.raises(ValueError, match="expired"):
        claims_of(document, now_s=ends_s)


def test_it_never_outlives_the_license_by_a_part_of_a_second() -> None:
    document = DOCUMENTS.document(answer(expires_at=NOW + 1_999))
    assert claims_of(document)["exp"] == NOW_S + 1


def test_it_is_for_one_device() -> None:
    with pytest.raises(ValueError, match="another device"):
        claims_of(DOCUMENTS.document(answer()), device_id="d2")


def test_pyjwt_reads_it_as_the_readme_says() -> None:
    document = DOCUMENTS.document(answer(expires_at=4_102_444_800_000))
    jwks = jwt.PyJWKSet.from_dict(KEYS.jwks())
    key = jwks[jwt.get_unverified_header(document)["kid"]]
    claims = jwt.decode(
        document,
        key,
        algorithms=["EdDSA"],
        issuer="airside",
        audience="d1",
        options={"verify_iat": False},  # this test's now is not the machine's
    )
    assert claims["jti"] == LICENSE_ID


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"state": "RELEASED"}, "LICENSE_TERMINAL"),
        ({"state": "REVOKED"}, "LICENSE_TERMINAL"),
        ({"state": "EXPIRED"}, "LICENSE_EXPIRED"),
        ({"expires_at": NOW}, "LICENSE_EXPIRED"),
    ],
)
def test_a_license_that_is_over_has_no_document(changed: Mapping[str, Any], code: str) -> None:
    with pytest.raises(LicenseOver) as raised:
        DOCUMENTS.document(answer(**changed))
    assert raised.value.code == code
    assert LICENSE_ID in str(raised.value)


class SafeDrm:
    """Wraps a key for the device."""

    def license(self, account_id: str, license: LicenseAnswer) -> Mapping[str, object] | None:
        return {"key": f"{account_id}/{license.device_id}/{license.title_id}"}


def test_a_drm_adapter_adds_its_key_and_that_is_signed_too() -> None:
    document = Documents(KEYS, lambda: NOW, SafeDrm()).document(answer())
    assert claims_of(document)["drm"] == {"key": "a1/d1/t1"}
    forged = with_part(document, 1, lambda claims: claims["drm"].update(key="mine"))
    with pytest.raises(InvalidSignature):
        claims_of(forged)
