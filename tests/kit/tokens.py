"""An issuer of tokens, with keys of all three types, and tokens that somebody forged."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from airside.web.tokens import Keys, Tokens

SECRET = b"a secret of more than thirty-two bytes"
AUDIENCE, ISSUER = "airside", "https://issuer.example"


class Issuer:
    """Signs with the key `rsa`, `ed` or `shared`."""

    def __init__(self, folder: Path) -> None:
        self.rsa: RSAPrivateKey = generate_private_key(65_537, 2_048)
        self.ed = Ed25519PrivateKey.generate()
        self.file = folder / "keys.json"
        self.write("rsa", "ed", "shared")

    def write(self, *names: str) -> None:
        """These are the service's keys from now on."""
        self.file.write_text(json.dumps({"keys": [self._jwk(name) for name in names]}))

    def tokens(self, **options: Any) -> Tokens:
        """A service's side of it."""
        usual = {"audience": AUDIENCE, "issuer": ISSUER, "clock": time.time}
        keys = Keys(self.file, options.pop("monotonic", time.monotonic))
        return Tokens(keys, **{**usual, **options})

    def token(self, kid: str = "rsa", **claims: Any) -> str:
        """A good token of account a1, but for these claims; None leaves one out."""
        key, algorithm = {
            "rsa": (self.rsa, "RS256"),
            "ed": (self.ed, "EdDSA"),
            "shared": (SECRET, "HS256"),
        }[kid]
        said = _claims(claims)
        made: str = jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid})  # type: ignore[arg-type]
        return made

    def confused(self, **claims: Any) -> str:
        """Signed with the public RSA key as if that were a shared secret."""
        public = self.rsa.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        body = _signed_part({"alg": "HS256", "typ": "JWT", "kid": "rsa"}, _claims(claims))
        return f"{body}.{_encoded(hmac.digest(public, body.encode(), hashlib.sha256))}"

    def unsigned(self, **claims: Any) -> str:
        """`alg` is none."""
        return f"{_signed_part({'alg': 'none', 'kid': 'rsa'}, _claims(claims))}."

    def _jwk(self, name: str) -> dict[str, Any]:
        if name == "rsa":
            found = jwt.algorithms.RSAAlgorithm.to_jwk(self.rsa.public_key(), as_dict=True)
        elif name == "ed":
            found = jwt.algorithms.OKPAlgorithm.to_jwk(self.ed.public_key(), as_dict=True)
        else:
            found = {"kty": "oct", "k": _encoded(SECRET)}
        return {"kid": name} | {k: v for k, v in found.items() if k not in ("key_ops",)}


def bearer(token: str) -> dict[str, str]:
    """The header."""
    return {"Authorization": f"Bearer {token}"}


def _claims(claims: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    usual = {"sub": "a1", "scope": "member", "aud": AUDIENCE, "iss": ISSUER, "exp": now + 600}
    return {name: value for name, value in (usual | claims).items() if value is not None}


def _signed_part(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
