"""The document of one license: signed, compact, and enough for a device without a network.

    claim         meaning                                                  RFC 7519
    iss           who signed: `airside`
    sub           the account
    aud           the device it is for: another one must not take it
    jti           the license
    iat, exp      when it was signed, and when the license ends; seconds
    license       title, studio, profile, quality and DRM system of the license
    terms         what it allows: instants in ms, durations in s
    version       of the account it was made from: of two documents the greater one counts
    drm           the content key, where a DRM adapter adds one

Terms are those that were issued. A device without a network ends a license by itself at
`exp`, or `play_window_s` after its first play where that is earlier.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airside.documents.drm import DrmAdapter, NoDrm
from airside.documents.keys import SigningKeys
from queries.licenses import LicenseAnswer, OneLicenseAnswer
from schemas.codes import REFUSALS
from schemas.errors import Permanent

ISSUER = "airside"
DOCUMENT_TYPE = "airside-license+jwt"
MEDIA_TYPE = "application/jose"  # of a compact JWS: RFC 7515, section 9.2.1

EXPIRED, TERMINAL = "LICENSE_EXPIRED", "LICENSE_TERMINAL"  # why there is none


class LicenseOver(Permanent):
    """A license that is not active has no document."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Documents:
    """Makes documents. `clock` is now, in ms."""

    keys: SigningKeys
    clock: Callable[[], int]
    drm: DrmAdapter = field(default_factory=NoDrm)

    def document(self, answer: OneLicenseAnswer) -> str:
        """The compact JWS of this license.

        Raises: LicenseOver where it is not active now; Unavailable where a DRM server is away.
        """
        now_at, license = self.clock(), answer.license
        check_active(license, now_at)
        claims = claims_of(license, answer, now_at)
        key = self.drm.license(answer.account_id, license)
        if key is not None:
            claims["drm"] = dict(key)
        return self.keys.sign(claims, document_type=DOCUMENT_TYPE)


def check_active(license: LicenseAnswer, now_at: int) -> None:
    """Raises: LicenseOver, with what the member can do."""
    if license.state in ("RELEASED", "REVOKED"):
        raise LicenseOver(
            TERMINAL,
            f"license {license.license_id} is {license.state}: {REFUSALS[TERMINAL]} "
            "Acquire another one.",
        )
    if license.state != "ACTIVE" or license.expires_at <= now_at:
        raise LicenseOver(
            EXPIRED,
            f"license {license.license_id} ended at {license.expires_at} (ms since 1970), "
            f"now is {now_at}. Renew it, and ask again.",
        )


def claims_of(license: LicenseAnswer, answer: OneLicenseAnswer, now_at: int) -> dict[str, Any]:
    """The claims of an active license; `exp` is rounded down, so it never outlives it."""
    return {
        "iss": ISSUER,
        "sub": answer.account_id,
        "aud": license.device_id,
        "jti": license.license_id,
        "iat": now_at // 1_000,
        "exp": license.expires_at // 1_000,
        "version": answer.version,
        "license": {
            "title_id": license.title_id,
            "studio_id": license.studio_id,
            "profile_id": license.profile_id,
            "quality": license.quality,
            "drm": license.drm,
        },
        "terms": {
            "issued_at": license.issued_at,
            "expires_at": license.expires_at,
            "renewals": license.renewals,
            "renewed_at": license.renewed_at,
            "play_window_s": license.play_window_s,
            "first_played_at": license.first_played_at,
        },
    }
