"""Signing keys: made, read from a file in three formats, and published."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from airside.documents.keys import load_keys, make_keys, public_jwk
from schemas.errors import AirsideError, Contradiction, Invalid, NotFound

# RFC 8037, appendix A: a private key, and the thumbprint that belongs to it.
RFC_D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
RFC_X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
RFC_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
RFC_8410_PEM = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
"""
RFC_JWK = {"kty": "OKP", "crv": "Ed25519", "d": RFC_D, "x": RFC_X}


def written(directory: Path, content: object) -> Path:
    file = directory / "key"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return file


def pem(key: Any, password: bytes = b"") -> bytes:
    hiding = BestAvailableEncryption(password) if password else NoEncryption()
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hiding)
    return text


def test_a_key_is_known_by_its_thumbprint_as_the_standard_has_it(tmp_path: Path) -> None:
    keys = load_keys(written(tmp_path, RFC_JWK))
    assert keys.key_id == RFC_THUMBPRINT
    assert keys.jwks()["keys"][0]["x"] == RFC_X


def test_what_is_published_holds_nothing_private(tmp_path: Path) -> None:
    (published,) = load_keys(written(tmp_path, RFC_JWK)).jwks()["keys"]
    assert set(published) == {"kty", "crv", "x", "kid", "use", "alg"}


def test_a_key_for_a_directory_that_is_not_there_names_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=f"there is no directory {tmp_path}/nowhere"):
        make_keys(tmp_path / "nowhere" / "key")


def test_a_new_key_is_in_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "signing.json"
    made = make_keys(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_keys(file).jwks() == made.jwks()
    assert list(tmp_path.iterdir()) == [file]


def test_an_existing_key_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "signing.json"
    first = make_keys(file)
    with pytest.raises(Contradiction, match="--add"):
        make_keys(file)
    assert load_keys(file).key_id == first.key_id


def test_a_key_that_is_added_signs_and_the_old_one_is_still_published(tmp_path: Path) -> None:
    file = tmp_path / "signing.json"
    first = make_keys(file)
    second = make_keys(file, beside=True)
    assert second.key_id != first.key_id
    assert [jwk["kid"] for jwk in second.jwks()["keys"]] == [second.key_id, first.key_id]


def test_a_public_key_beside_is_published_and_does_not_sign(tmp_path: Path) -> None:
    old = public_jwk(Ed25519PrivateKey.generate())
    keys = load_keys(written(tmp_path, {"keys": [old, RFC_JWK]}))
    assert keys.key_id == RFC_THUMBPRINT
    assert [jwk["kid"] for jwk in keys.published] == [RFC_THUMBPRINT, old["kid"]]


def test_a_pem_is_the_same_key(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    assert load_keys(written(tmp_path, pem(key))).published == (public_jwk(key),)


def test_a_key_as_openssl_writes_it_is_taken(tmp_path: Path) -> None:
    assert len(load_keys(written(tmp_path, RFC_8410_PEM)).published) == 1


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "neither a PEM nor a JWK"),
        (b"[]", "neither a PEM nor a JWK"),
        (b'{"keys": [1]}', "neither a PEM nor a JWK"),
        (b"\xff\xfe", "neither a PEM nor a JWK"),
        ({"keys": []}, "no private Ed25519 key among 0 keys"),
        ({"keys": [{**RFC_JWK, "kty": "RSA"}]}, "a signing key of kind 'RSA'"),
        ({**RFC_JWK, "d": "AAAA"}, "'d' is not 32 bytes"),
        ({"kty": "OKP", "crv": "Ed25519", "x": RFC_X}, "no private Ed25519 key among 1"),
        (b"-----BEGIN PRIVATE KEY-----\nnonsense\n", "no Ed25519 private key"),
        (pem(generate_private_key(65_537, 2_048)), "no Ed25519 private key"),
        (pem(Ed25519PrivateKey.generate(), b"secret"), "with a password"),
        (b"x" * 70_000, "over 65536 bytes"),
    ],
)
def test_what_is_no_key_is_refused_with_the_next_step(
    content: object, what: str, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match=what) as raised:
        load_keys(written(tmp_path, content))
    assert "Make one" in str(raised.value) or "genpkey" in str(raised.value)


def test_an_error_shows_nothing_of_a_key(tmp_path: Path) -> None:
    with pytest.raises(AirsideError) as raised:
        load_keys(written(tmp_path, {**RFC_JWK, "d": RFC_D + "AAAA"}))
    assert RFC_D not in str(raised.value)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"absent\.json"):
        load_keys(tmp_path / "absent.json")


def test_the_text_of_a_key_is_base64url_without_padding() -> None:
    jwk = public_jwk(Ed25519PrivateKey.generate())
    assert len(base64.urlsafe_b64decode(jwk["x"] + "=")) == 32
