"""Who is let in with a token, and what everybody else is told."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from airside.web.problems import Problem, Rejected
from airside.web.tokens import RELOAD_SECONDS, TOKEN_BYTES_MAX, Caller, Tokens, read_keys
from schemas.errors import Invalid
from tests.kit.tokens import Issuer

NOW = int(time.time())  # when the run began, perhaps an hour ago
DAY = 86_400


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def tokens(issuer: Issuer) -> Tokens:
    return issuer.tokens()


def asks(tokens: Tokens, token: str) -> Caller:
    return tokens.caller(f"Bearer {token}".encode())


def refused(tokens: Tokens, authorization: bytes | None) -> Problem:
    with pytest.raises(Rejected) as caught:
        tokens.caller(authorization)
    return caught.value.problem


@pytest.mark.parametrize("kid", ["rsa", "ed", "shared"])
def test_a_token_of_each_type_of_key_says_who_asks(
    issuer: Issuer, tokens: Tokens, kid: str
) -> None:
    found = asks(tokens, issuer.token(kid, exp=NOW + DAY))

    assert (found.subject, found.scope, found.expires_at) == ("a1", "member", NOW + DAY)


@pytest.mark.parametrize("scope", ["member operator", ["operator", "something:else"]])
def test_the_largest_of_several_scopes_counts(
    issuer: Issuer, tokens: Tokens, scope: Any
) -> None:
    assert asks(tokens, issuer.token(scope=scope)).scope == "operator"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW - 3_600}, "expired"),
        ({"exp": None}, "lacks the claim `exp`"),
        ({"nbf": NOW + DAY}, "not valid yet"),
        ({"aud": "another"}, "another audience"),
        ({"aud": None}, "lacks the claim `aud`"),
        ({"iss": "https://somebody.example"}, "another issuer"),
        ({"iss": None}, "lacks the claim `iss`"),
        ({"sub": None}, "lacks the claim `sub`"),
        ({"sub": ""}, "subject"),
        ({"sub": "a" * 129}, "subject"),
        ({"exp": 10**400}, "no JSON Web Token"),
    ],
)
def test_what_is_wrong_with_a_claim_is_said(
    issuer: Issuer, tokens: Tokens, claims: dict[str, Any], reason: str
) -> None:
    found = refused(tokens, f"Bearer {issuer.token(**claims)}".encode())

    assert found.kind.status == 401
    assert reason in found.detail
    assert 'error="invalid_token"' in found.headers["WWW-Authenticate"]


def test_an_unsigned_token_is_refused(issuer: Issuer, tokens: Tokens) -> None:
    found = refused(tokens, f"Bearer {issuer.unsigned()}".encode())

    assert (found.kind.status, "algorithm must be RS256" in found.detail) == (401, True)


def test_a_public_key_is_no_shared_secret(issuer: Issuer, tokens: Tokens) -> None:
    found = refused(tokens, f"Bearer {issuer.confused(scope='operator')}".encode())

    assert (found.kind.status, "algorithm must be RS256" in found.detail) == (401, True)


def test_a_key_of_somebody_else_is_refused(
    issuer: Issuer, tokens: Tokens, tmp_path: Path
) -> None:
    stranger = Issuer(tmp_path)

    found = refused(tokens, f"Bearer {stranger.token('ed')}".encode())

    assert (found.kind.status, found.detail.endswith("its signature is wrong.")) == (401, True)


def test_an_unknown_key_id_is_refused(issuer: Issuer, tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    issuer.write("ed", "shared")

    found = refused(issuer.tokens(), f"Bearer {issuer.token('rsa')}".encode())

    assert (found.kind.status, "`kid`" in found.detail) == (401, True)


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        (b"Bearer", "invalid_token"),
        (b"Bearer garbage", "invalid_token"),
        (b"Bearer a.b.c", "invalid_token"),
        (b"Bearer \xff\xfe", "invalid_token"),
        (b"Bearer " + b"a" * TOKEN_BYTES_MAX, "invalid_token"),
        (b"Basic dXNlcjpwYXNz", "invalid_request"),
        (b"", "invalid_request"),
    ],
)
def test_what_is_no_token_is_refused(tokens: Tokens, authorization: bytes, error: str) -> None:
    found = refused(tokens, authorization)

    assert found.kind.status == 401
    assert f'error="{error}"' in found.headers["WWW-Authenticate"]


def test_without_a_token_the_challenge_names_no_error(tokens: Tokens) -> None:
    found = refused(tokens, None)

    assert found.kind.status == 401
    assert found.headers["WWW-Authenticate"] == 'Bearer realm="airside"'


@pytest.mark.parametrize("scope", [None, "", "members", 7, ["everything"]])
def test_a_token_without_a_scope_of_ours_is_not_enough(
    issuer: Issuer, tokens: Tokens, scope: Any
) -> None:
    found = refused(tokens, f"Bearer {issuer.token(scope=scope)}".encode())

    assert found.kind.status == 403
    assert 'error="insufficient_scope"' in found.headers["WWW-Authenticate"]


def test_a_remembered_token_expires_all_the_same(issuer: Issuer) -> None:
    now = [float(NOW)]
    tokens = issuer.tokens(clock=lambda: now[0])
    token = issuer.token(exp=NOW + DAY)
    known = asks(tokens, token)
    assert tokens.remembered(f"Bearer {token}".encode()) is known

    now[0] += DAY + 3_600

    assert tokens.remembered(f"Bearer {token}".encode()) is None


def test_a_new_key_file_counts_without_a_restart(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    now = [0.0]
    tokens = issuer.tokens(monotonic=lambda: now[0])
    token = issuer.token("rsa")
    asks(tokens, token)

    issuer.write("ed")
    now[0] += RELOAD_SECONDS

    assert "`kid`" in refused(tokens, f"Bearer {token}".encode()).detail
    assert asks(tokens, issuer.token("ed")).subject == "a1"


def test_a_broken_key_file_leaves_the_keys_as_they_are(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    now = [0.0]
    tokens = issuer.tokens(monotonic=lambda: now[0])

    issuer.file.write_text("{")
    now[0] += RELOAD_SECONDS

    assert asks(tokens, issuer.token("rsa")).subject == "a1"


WEAK = {"kty": "oct", "k": "c2hvcnQ", "kid": "1"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[]", "no JSON object"),
        ('{"keys": []}', "has no keys"),
        ({"keys": [WEAK]}, "can be guessed"),
        ({"keys": [{"kty": "EC", "crv": "P-256", "kid": "1"}]}, "RSA for RS256"),
        ({"keys": [{**WEAK, "alg": "HS512"}]}, "RSA for RS256"),
        ({"keys": [{"kty": "RSA", "kid": "1", "n": "AQAB"}]}, "cannot be read"),
        ({"keys": [{**WEAK, "use": "enc"}]}, "`use` must be sig"),
        ({"keys": [{"kty": "oct", "k": "a" * 60}, WEAK]}, "no `kid`"),
        ({"keys": ["no key", WEAK]}, "no `kid`"),
    ],
)
def test_a_key_file_that_is_no_good_is_refused_with_the_reason(
    tmp_path: Path, content: Any, reason: str
) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))

    with pytest.raises(Invalid, match=reason):
        read_keys(file)


def test_a_key_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No such file"):
        read_keys(tmp_path / "none.json")
