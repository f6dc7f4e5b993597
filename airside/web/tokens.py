"""Bearer tokens (JWT): who asks, and what that person may do.

The keys come from a JWKS file, and each key knows its one algorithm: what a token says of its
own algorithm is only compared with that, so neither `none` nor a public key taken for a shared
secret gets through.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

import jwt
import msgspec
from msgspec import Struct

from airside.web.problems import FORBIDDEN, NO_TOKEN, Problem, Rejected
from schemas.errors import Invalid

Scope = Literal["member", "support", "operator"]
SCOPES: tuple[Scope, ...] = ("member", "support", "operator")  # each may what those before may

TOKEN_BYTES_MAX = 8_192
VERIFIED_MAX = 4_096  # tokens remembered as verified
LEEWAY_SECONDS = 10  # that clocks may differ by
RELOAD_SECONDS = 5.0  # how long a changed key file may go unseen
SUBJECT_CHARACTERS_MAX = 128
ALGORITHMS: Mapping[tuple[str, str], str] = MappingProxyType(
    {("RSA", ""): "RS256", ("OKP", "Ed25519"): "EdDSA", ("oct", ""): "HS256"}
)
SHAPE = 'It must be {"keys": [{…}]}, as `airside keygen FILE` prints it.'
SECRET_BYTES_MIN = 32  # RFC 7518, section 3.2
RSA_BITS_MIN = 2_048  # RFC 7518, section 3.3

log = logging.getLogger("airside.web.tokens")


class Caller(Struct, frozen=True):
    """Who asks. A member's subject is its account."""

    subject: str
    scope: Scope
    expires_at: float = float("inf")  # seconds since 1970
    is_local: bool = False  # asked without a token, on this machine

    def may(self, scope: Scope) -> bool:
        """Whether that scope's resources are open to it."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


ANYBODY = Caller("anybody on this machine", "operator", is_local=True)


class Keys:
    """The verification keys of a JWKS file, read again when it changes."""

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        """Raises: Invalid where a key is missing, weak or of a type that is not known."""
        self._path = path
        self._monotonic = monotonic
        self._read_as = self._signature()
        self._looked_at = monotonic()
        self._keys = read_keys(path)

    def current(self) -> Mapping[str, jwt.PyJWK]:
        """Keys by their id. A changed file that cannot be read changes nothing."""
        now = self._monotonic()
        if now - self._looked_at >= RELOAD_SECONDS:
            self._looked_at = now
            self._reload()
        return self._keys

    def _reload(self) -> None:
        found = self._signature()
        if found == self._read_as:
            return
        self._read_as = found
        try:
            self._keys = read_keys(self._path)
            log.info("keys read again count=%d", len(self._keys))
        except Invalid as error:
            log.error("the old keys stay because %s", error)

    def _signature(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)


class Tokens:
    """Turns an `Authorization` header into a caller. Verified tokens are remembered."""

    def __init__(
        self,
        keys: Keys,
        *,
        audience: str,
        issuer: str | None,
        clock: Callable[[], float],
    ) -> None:
        """`clock` tells seconds since 1970."""
        self._keys, self._audience, self._issuer = keys, audience, issuer
        self._clock = clock
        self._verified: dict[bytes, Caller] = {}
        self._verified_with: Mapping[str, jwt.PyJWK] = {}

    def caller(self, authorization: bytes | None) -> Caller:
        """Who asks. Raises: Rejected, 401 or 403, with the reason."""
        keys = self._keys.current()
        if keys is not self._verified_with:
            self._verified, self._verified_with = {}, keys
        if authorization is None:
            raise denied("no token: send the header `Authorization: Bearer …`.", error="")
        known = self.remembered(authorization)
        if known is not None:
            return known
        found = self._verify(_token_in(authorization), keys)
        if len(self._verified) >= VERIFIED_MAX:
            del self._verified[next(iter(self._verified))]
        self._verified[authorization] = found
        return found

    def remembered(self, authorization: bytes) -> Caller | None:
        """Who asks, if the header was verified before and has not expired since."""
        known = self._verified.get(authorization)
        if known is None or self._clock() >= known.expires_at + LEEWAY_SECONDS:
            return None
        return known

    def _verify(self, token: str, keys: Mapping[str, jwt.PyJWK]) -> Caller:
        try:
            key = _key_for(token, keys)
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "aud"]},
            )
            return _caller(claims)
        except jwt.PyJWTError as error:
            raise denied(_reason(error)) from error
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise denied("it is no JSON Web Token.") from error


def denied(reason: str, *, error: str = "invalid_token") -> Rejected:
    """401 with a challenge (RFC 6750, section 3). `error` is empty where none was sent."""
    challenge = 'Bearer realm="airside"'
    if error:
        challenge += f', error="{error}", error_description="{_quotable(reason)}"'
        reason = f"The token is not accepted: {reason}"
    return Rejected(Problem(NO_TOKEN, reason, headers={"WWW-Authenticate": challenge}))


def forbidden(reason: str, *, needed: Scope) -> Rejected:
    """403 with a challenge: the token is good, and not enough."""
    challenge = f'Bearer realm="airside", error="insufficient_scope", scope="{needed}"'
    return Rejected(Problem(FORBIDDEN, reason, headers={"WWW-Authenticate": challenge}))


def read_keys(path: Path) -> Mapping[str, jwt.PyJWK]:
    """The keys of a JWKS file by `kid`. Raises: Invalid, with the next step."""
    try:
        content = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise Invalid(f"key file {path}: {error.strerror}. Name a JWKS file.") from error
    except msgspec.MsgspecError as error:
        raise Invalid(f"key file {path} is no JSON object: {error}. {SHAPE}") from error
    listed = content.get("keys")
    if not isinstance(listed, list) or not listed:
        raise Invalid(f"key file {path} has no keys. {SHAPE}")
    found: dict[str, jwt.PyJWK] = {}
    for number, one in enumerate(listed, 1):
        where = f"key {number} of {path}"
        kid = one.get("kid", "") if isinstance(one, dict) else None
        if not isinstance(kid, str) or (not kid and len(listed) > 1):
            raise Invalid(f"{where} has no `kid`: each of several keys needs its own.")
        if kid in found:
            raise Invalid(f"{where}: `kid` {kid:.80} is there twice.")
        found[kid] = _key(one, where)
    return found


def _key(one: dict[str, Any], where: str) -> jwt.PyJWK:
    kind = str(one.get("kty", ""))
    algorithm = ALGORITHMS.get((kind, str(one.get("crv", "")) if kind == "OKP" else ""))
    if algorithm is None or one.get("alg", algorithm) != algorithm:
        raise Invalid(
            f"{where} is of type {kind!r:.20} for {one.get('alg', '')!r:.20}: there is RSA "
            "for RS256, OKP with Ed25519 for EdDSA, oct for HS256."
        )
    if one.get("use", "sig") != "sig":
        raise Invalid(f"{where} is not for signatures: `use` must be sig.")
    try:
        key = jwt.PyJWK(one, algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise Invalid(f"{where} cannot be read: {error}.") from error
    if algorithm == "HS256" and len(cast(bytes, key.key)) < SECRET_BYTES_MIN:
        raise Invalid(f"{where} is a secret under {SECRET_BYTES_MIN} bytes: it can be guessed.")
    if algorithm == "RS256" and key.key.key_size < RSA_BITS_MIN:
        raise Invalid(f"{where} is an RSA key under {RSA_BITS_MIN} bits: make a longer one.")
    return key


def _token_in(authorization: bytes) -> str:
    if len(authorization) > TOKEN_BYTES_MAX:
        raise denied(f"it is longer than {TOKEN_BYTES_MAX} bytes.")
    kind, _, token = authorization.partition(b" ")
    if kind.lower() != b"bearer":
        raise denied("the header must be `Authorization: Bearer …`.", error="invalid_request")
    try:
        return token.strip().decode("ascii")
    except UnicodeDecodeError:
        raise denied("it is no JSON Web Token.") from None


def _key_for(token: str, keys: Mapping[str, jwt.PyJWK]) -> jwt.PyJWK:
    header = jwt.get_unverified_header(token)
    kid = header.get("kid")
    if kid is None and len(keys) == 1:
        key = next(iter(keys.values()))
    elif isinstance(kid, str) and kid in keys:
        key = keys[kid]
    else:
        raise denied("its key (`kid`) is not one of this service.")
    if header.get("alg") != key.algorithm_name:
        raise denied(f"its algorithm must be {key.algorithm_name}, as its key says.")
    return key


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject = str(claims["sub"])
    if not 0 < len(subject) <= SUBJECT_CHARACTERS_MAX:
        raise denied(f"its subject (`sub`) must have 1 to {SUBJECT_CHARACTERS_MAX} characters.")
    said = claims.get("scope", "")
    names = said.split() if isinstance(said, str) else said if isinstance(said, list) else []
    held = [scope for scope in SCOPES if scope in names]
    if not held:
        raise forbidden(f"Its `scope` names none of {', '.join(SCOPES)}.", needed="member")
    return Caller(subject, held[-1], float(claims["exp"]))


def _reason(error: jwt.PyJWTError) -> str:
    match error:
        case jwt.ExpiredSignatureError():
            return "it has expired (`exp`)."
        case jwt.ImmatureSignatureError():
            return "it is not valid yet (`nbf` or `iat`)."
        case jwt.InvalidAudienceError():
            return "it is for another audience (`aud`)."
        case jwt.InvalidIssuerError():
            return "it is from another issuer (`iss`)."
        case jwt.MissingRequiredClaimError():
            return f"it lacks the claim `{error.claim}`."
        case jwt.InvalidSignatureError():
            return "its signature is wrong."
        case _:
            return "it is no JSON Web Token that can be verified."


def _quotable(text: str) -> str:
    return "".join(c for c in text if c not in '"\\`' and " " <= c <= "~")
