"""The keys that documents are signed with: Ed25519, from a file, each known by its thumbprint.

The file is a JWK Set (what `airside keygen` writes), a single JWK, or a PEM. The first private
key signs; the public half of every key in it is published, so that documents signed before a
change of keys can still be checked.
"""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from schemas.errors import Contradiction, Invalid, NotFound

ALGORITHM = "EdDSA"
FILE_BYTES_MAX = 64 * 1024
PRIVATE_MODE = 0o600
NEXT_STEP = "Make one with: airside keygen FILE"

Jwk = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """One key that signs, and every key that documents may be checked with."""

    key_id: str  # of the key that signs: its RFC 7638 thumbprint
    private: Ed25519PrivateKey
    published: tuple[Jwk, ...]  # public, the signing one first

    def sign(self, claims: Mapping[str, Any], *, document_type: str) -> str:
        """A compact JWS (RFC 7515) of these claims."""
        header = {"typ": document_type, "kid": self.key_id}
        return jwt.encode(dict(claims), self.private, algorithm=ALGORITHM, headers=header)

    def jwks(self) -> dict[str, list[Jwk]]:
        """The public keys as a JWK Set (RFC 7517), for whoever checks documents."""
        return {"keys": list(self.published)}


def load_keys(file: Path) -> SigningKeys:
    """The keys of a file. Raises: NotFound, Invalid; never with a part of a key."""
    try:
        with file.open("rb") as opened:
            text = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise NotFound(f"signing key {file}: {error.strerror}. {NEXT_STEP}") from None
    if len(text) > FILE_BYTES_MAX:
        raise Invalid(f"signing key {file}: over {FILE_BYTES_MAX} bytes. {NEXT_STEP}")
    return signing_keys([_from_pem(text, file)] if b"-----" in text else _jwks(text, file))


def make_keys(file: Path, *, beside: bool = False) -> SigningKeys:
    """Write a new key to a file that only its owner can read; it signs from then on.

    `beside` keeps the keys that the file has, to check older documents with.

    Raises: Contradiction where the file exists, so that no key is lost by a typing error;
    NotFound where its directory does not.
    """
    if not file.parent.is_dir():
        raise NotFound(
            f"{file}: there is no directory {file.parent}. Make it, or name another."
        )
    older = _jwks(file.read_bytes(), file) if beside and file.exists() else []
    if file.exists() and not older:
        raise Contradiction(f"{file} exists. Name another file, or keep its keys with --add.")
    new = {**public_jwk(private := Ed25519PrivateKey.generate()), "d": _seed(private)}
    text = msgspec.json.format(msgspec.json.encode({"keys": [new, *older]}), indent=2)
    draft = file.with_name(f".{file.name}.{new['kid']}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as written:
        written.write(text + b"\n")
        written.flush()
        os.fsync(descriptor)
    draft.replace(file)
    return load_keys(file)


def signing_keys(jwks: Sequence[Mapping[str, Any]]) -> SigningKeys:
    """The keys of JWKs, the first private one signs. Raises: Invalid where there is none."""
    privates = [_private(jwk) for jwk in jwks if "d" in jwk]
    if not privates:
        raise Invalid(f"no private Ed25519 key among {len(jwks)} keys. {NEXT_STEP}")
    first = public_jwk(privates[0])
    others = [public_jwk(_private(jwk) if "d" in jwk else _public(jwk)) for jwk in jwks]
    published = {jwk["kid"]: jwk for jwk in (first, *others)}
    return SigningKeys(first["kid"], privates[0], tuple(published.values()))


def public_jwk(key: Ed25519PrivateKey | Ed25519PublicKey) -> dict[str, str]:
    """The public half as a JWK (RFC 8037), with its thumbprint (RFC 7638) as `kid`."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    needed = {"crv": "Ed25519", "kty": "OKP", "x": _text(public.public_bytes_raw())}
    thumbprint = hashlib.sha256(msgspec.json.encode(needed, order="sorted")).digest()
    return {**needed, "kid": _text(thumbprint), "use": "sig", "alg": ALGORITHM}


def _jwks(text: bytes, file: Path) -> list[dict[str, Any]]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    keys = found.get("keys", [found]) if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(jwk, dict) for jwk in keys):
        raise Invalid(f"signing key {file}: neither a PEM nor a JWK. {NEXT_STEP}")
    return keys


def _from_pem(text: bytes, file: Path) -> dict[str, Any]:
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid(
            f"signing key {file}: no Ed25519 private key, or one with a password. Make one "
            "with: openssl genpkey -algorithm ed25519"
        )
    return {"kty": "OKP", "crv": "Ed25519", "d": _seed(key)}


def _private(jwk: Mapping[str, Any]) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_bytes(jwk, "d"))


def _public(jwk: Mapping[str, Any]) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_bytes(jwk, "x"))


def _bytes(jwk: Mapping[str, Any], name: str) -> bytes:
    """The 32 bytes of an Ed25519 key. Raises: Invalid, which shows nothing of it."""
    if (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519"):
        kind = f"{jwk.get('kty')!r:.20} {jwk.get('crv')!r:.20}"
        raise Invalid(f"a signing key of kind {kind}: it is 'OKP' 'Ed25519'. {NEXT_STEP}")
    try:
        text = str(jwk[name])
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (KeyError, ValueError):
        found = b""
    if len(found) != 32:
        raise Invalid(f"a signing key whose {name!r} is not 32 bytes. {NEXT_STEP}")
    return found


def _seed(key: Ed25519PrivateKey) -> str:
    return _text(key.private_bytes_raw())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
