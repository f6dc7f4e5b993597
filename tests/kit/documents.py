"""A license to sign, and a check of what was signed that shares no code with what signs it."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace

from queries.licenses import LicenseAnswer, OneLicenseAnswer
from queries.reader import Standing

NOW = 1_800_000_000_000
DAY = 86_400_000
LICENSE_ID = "5f0c1cb6e0a85c5f8ac0a4b1f3f6c1d2"

LICENSE = LicenseAnswer(
    license_id=LICENSE_ID,
    state="ACTIVE",
    recorded_state="ACTIVE",
    title_id="t1",
    studio_id="s1",
    device_id="d1",
    profile_id="main",
    drm="widevine",
    quality="high",
    issued_at=NOW - DAY,
    expires_at=NOW + 29 * DAY,
    expires_in_s=29 * 86_400,
    renewals=2,
    renewed_at=NOW - 1_000,
    first_played_at=None,
    play_window_s=172_800,
    played_at=None,
    plays=0,
    late_plays=0,
    download="",
    bytes=0,
    refunded=False,
    ended_at=None,
    reason="",
    proof="",
)


def answer(**changed: Any) -> OneLicenseAnswer:
    """The license as the query layer answers it, some of it changed."""
    return OneLicenseAnswer(
        account_id="a1",
        at=NOW,
        version=17,
        standing=Standing(as_of=NOW, version=40, generation="licenses.1"),
        license=replace(LICENSE, **changed),
    )


def verified(
    document: str,
    jwks: Mapping[str, Iterable[Mapping[str, str]]],
    *,
    device_id: str,
    now_s: int,
) -> dict[str, Any]:
    """The claims, checked as a device would check them: by `cryptography` and the RFCs alone.

    Raises: InvalidSignature, KeyError for an unknown key, ValueError.
    """
    header_text, claims_text, signature = document.split(".")
    header = json.loads(unpacked(header_text))
    if (header["alg"], header["typ"]) != ("EdDSA", "airside-license+jwt"):
        raise ValueError(f"another kind of document: {header}")
    key = {jwk["kid"]: jwk for jwk in jwks["keys"]}[header["kid"]]
    public = Ed25519PublicKey.from_public_bytes(unpacked(key["x"]))
    public.verify(unpacked(signature), f"{header_text}.{claims_text}".encode())
    claims: dict[str, Any] = json.loads(unpacked(claims_text))
    if claims["aud"] != device_id:
        raise ValueError("for another device")
    if now_s >= claims["exp"]:
        raise ValueError("expired")
    return claims


def unpacked(text: str) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def packed(data: bytes) -> str:
    """The other way round."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
