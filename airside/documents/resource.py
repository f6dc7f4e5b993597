"""The documents as resources of the query service, and the public keys to check them with."""

import asyncio
from typing import Any, Protocol

import msgspec

from airside.documents.document import MEDIA_TYPE, Documents, LicenseOver
from airside.serving.parameters import LICENSE_ID, Freshness, OfAccount, OfLicense
from airside.serving.reads import Reads
from airside.web.problems import CONFLICT, NOT_FOUND, rejected
from airside.web.resource import SECONDS, Answer, Call, Resource
from queries.licenses import one_license
from schemas.envelope import parse_id

JWKS_PATH = "/.well-known/jwks.json"
JWKS_MEDIA_TYPE = "application/jwk-set+json"  # RFC 7517, section 8.5.1


class Documented(Protocol):
    """What a service needs for these resources. `documents` is None without a signing key."""

    documents: Documents | None

    @property
    def reads(self) -> Reads:
        """The read models."""


async def license_document(service: Documented, call: Call) -> Answer:
    """Signed anew each time: a document is as old as its `iat`."""
    documents = _documents(service)
    account_id = call.of(OfAccount).account_id
    license_id, wanted = parse_id(call.of(OfLicense).license_id), call.of(Freshness).wanted()
    found = await service.reads.ask(
        lambda reader: one_license(
            reader, account_id, license_id, at=documents.clock(), wanted=wanted
        )
    )
    try:
        signed = await asyncio.to_thread(documents.document, found)
    except LicenseOver as over:
        raise rejected(CONFLICT, str(over), code=over.code) from None
    return Answer(signed.encode(), media_type=MEDIA_TYPE)


async def signing_keys(service: Documented, _call: Call) -> Answer:
    """Public halves only; the first one signs."""
    jwks = _documents(service).keys.jwks()
    return Answer(msgspec.json.encode(jwks), media_type=JWKS_MEDIA_TYPE)


def _documents(service: Documented) -> Documents:
    if service.documents is None:
        raise rejected(
            NOT_FOUND,
            "this service signs no documents: it has no signing key. Make one with `airside "
            "keygen FILE`, and name it with --signing-key or AIRSIDE_SIGNING_KEY.",
        )
    return service.documents


def _patience(call: Call) -> float:
    return SECONDS + call.of(Freshness).wait_seconds


DOCUMENTS: tuple[Resource[Any], ...] = (
    Resource(
        "/v1/accounts/{account_id}/licenses/{license_id}/document",
        license_document,
        summary="An active license as a signed document that a device can check offline.",
        scope="member",
        owner="account_id",
        parameters=(OfAccount, OfLicense, Freshness),
        media_type=MEDIA_TYPE,
        problems=(CONFLICT,),
        seconds=_patience,
        example={"account_id": "a1", "license_id": LICENSE_ID},
        description="A compact JWS (EdDSA, Ed25519); its `kid` is one of "
        f"{JWKS_PATH}. Of a license that has ended there is none: 409 with the reason. It "
        "holds no content key: airside includes no DRM.",
        tag="accounts",
    ),
    Resource(
        JWKS_PATH,
        signing_keys,
        summary="The public keys that documents are checked with.",
        scope=None,
        answer=dict[str, list[dict[str, str]]],
        media_type=JWKS_MEDIA_TYPE,
        problems=(NOT_FOUND,),
        tag="about",
    ),
)
