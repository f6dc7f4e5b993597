"""The client on the real services: a member's whole day, each service a process of its own."""

import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from airside.client import Airside
from airside.documents.keys import make_keys
from airside.http_client.problems import Conflict, KeyReused, NotAllowed, NotAuthenticated
from tests.kit.cli import CATALOG, Shell, at_work
from tests.kit.documents import verified
from tests.kit.http_services import Service

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]

SECRET = b"a secret that only the issuer and the services know"
PATIENT_SECONDS = 30


class Town:
    """Where both services are, and who may ask them."""

    def __init__(self, query_url: str, gateway_url: str) -> None:
        self._urls = query_url, gateway_url

    def client(self, subject: str = "", scope: str = "") -> Airside:
        """For that person; for nobody without a name."""
        query, gateway = self._urls
        return Airside(
            query, gateway_url=gateway, token=token(subject, scope) if subject else None
        )


def token(subject: str, scope: str) -> str:
    claims = {"sub": subject, "scope": scope, "aud": "airside", "exp": time.time() + 3_600}
    return jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": "k"})


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    directory = tmp_path_factory.mktemp("town")
    shell, keys = Shell(directory / "data"), directory / "keys.json"
    secret = jwt.utils.base64url_encode(SECRET).decode()
    keys.write_text(json.dumps({"keys": [{"kty": "oct", "kid": "k", "k": secret}]}))
    signing = directory / "signing.json"
    make_keys(signing)
    with (
        at_work(shell, "up"),
        Service(shell, "gateway", "--keys", str(keys)) as gateway,
        Service(shell, "serve", "--keys", str(keys), "--signing-key", str(signing)) as query,
    ):
        shell("catalog", "load", str(CATALOG))
        yield Town(query.url, gateway.url)


@pytest.fixture(scope="module")
def license_id(town: Town) -> str:
    """Of the account m1, for t1 on d1."""
    with town.client("bo", "operator") as operator:
        send(operator, "OpenAccount", plan_id="premium", country="DE")
    with town.client("m1", "member") as member:
        send(member, "RegisterDevice", device_id="d1")
        sent = send(member, "AcquireLicense", device_id="d1", title_id="t1")
    (found,) = sent.outcome.license_ids
    return str(found)


def send(client: Airside, command_type: str, **fields: Any) -> Any:
    """To account m1; the answer has an outcome."""
    answer = client.send("m1", command_type, wait_seconds=PATIENT_SECONDS, **fields)
    assert answer.outcome is not None
    return answer


def test_a_member_reads_what_it_has_just_written(town: Town, license_id: str) -> None:
    with town.client("m1", "member") as member:
        sent = send(member, "AcquireLicense", device_id="d1", title_id="t2")
        held = member.licenses("m1", device_id="d1", state="ACTIVE")
        timeline = list(member.timeline("m1"))
        assert {one.title_id for one in held.licenses} >= {"t1", "t2"}
        assert member.license("m1", license_id).license.title_id == "t1"
        assert member.downloads("m1").active >= 2
        assert member.title_downloads("m1", "t1").title.used == 1
        assert [one.device_id for one in member.devices("m1").devices] == ["d1"]
        assert member.outcome("m1", sent.command_id).outcome == sent.outcome
        assert [one.version for one in timeline] == list(range(len(timeline), 0, -1))
        assert member.can_download("m1", "d1", "t3").allowed


def test_a_refusal_is_an_outcome_with_words(town: Town, license_id: str) -> None:
    with town.client("m1", "member") as member:
        sent = send(member, "AcquireLicense", device_id="d9", title_id="t1")
        reasons = member.can_download("m1", "d9", "t1").reasons
    assert (sent.outcome.status, sent.outcome.code) == ("refused", "DEVICE_UNKNOWN")
    assert "never registered" in sent.explanation
    assert reasons[0].code == "DEVICE_UNKNOWN"


def test_a_device_checks_its_document_until_the_license_is_given_back(
    town: Town, license_id: str
) -> None:
    with town.client("m1", "member") as member:
        sent = send(member, "AcquireLicense", device_id="d1", title_id="t4")
        (own,) = sent.outcome.license_ids
        document, jwks = member.document("m1", own), member.document_keys()
        claims = verified(document, jwks, device_id="d1", now_s=int(time.time()))
        send(member, "ReleaseLicense", license_id=own)
        with pytest.raises(Conflict, match="RELEASED") as raised:
            member.document("m1", own)
    assert claims["license"]["title_id"] == "t4"
    assert raised.value.code == "LICENSE_TERMINAL"


def test_a_batch_of_a_device_that_was_away_comes_in_order(town: Town, license_id: str) -> None:
    played = {"type": "ReportPlayback", "license_id": license_id, "session_id": "s1"}
    synced = {"type": "SyncDevice", "device_id": "d1", "held_license_ids": [license_id]}
    with town.client("m1", "member") as member:
        now = int(time.time() * 1_000)
        batch = [{**played, "started_at": now}, {**synced, "device_clock": now}]
        answer = member.send_batch("m1", batch, wait_seconds=PATIENT_SECONDS)
        seqs = [one.outcome.seq for one in answer.commands if one.outcome is not None]
        first = next(member.timeline("m1"))
    assert (len(seqs), seqs) == (2, sorted(seqs))
    assert first.command_id == answer.commands[1].command_id


def test_the_same_key_is_the_same_outcome_and_another_command_is_told(
    town: Town, license_id: str
) -> None:
    with town.client("m1", "member") as member:
        key = member.new_key()
        first = send(member, "RenewLicense", key=key, license_id=license_id)
        again = send(member, "RenewLicense", key=key, license_id=license_id)
        with pytest.raises(KeyReused):
            send(member, "RenewDevice", key=key, device_id="d1")
    assert again == first


def test_the_stream_brings_the_state_and_then_what_is_sent(town: Town, license_id: str) -> None:
    with town.client("m1", "member") as member:
        events = member.events("m1")
        state = next(events)
        sent = send(member, "RegisterDevice", device_id="tablet", model="tablet")
        change = next(events)
    assert (state.kind, change.kind) == ("state", "change")
    assert (change.data["type"], change.data["command_id"]) == (
        "DeviceRegistered",
        sent.command_id,
    )


def test_questions_across_accounts_are_for_support(town: Town, license_id: str) -> None:
    with town.client("eve", "support") as support:
        tally = support.title("t1").tally
        expiring = support.expiring(31 * 86_400).count
        assert support.studio("s1").id == "s1"
        assert support.refusals().count >= 0
    with town.client("m1", "member") as member, pytest.raises(NotAllowed):
        member.title("t1")
    assert (tally.issued, expiring >= 1) == (1, True)


def test_operators_see_the_pipeline(town: Town, license_id: str) -> None:
    with town.client("bo", "operator") as operator:
        found = [operator.operations(what) for what in ("projections", "pipeline", "parked")]
    assert all(one is not None for one in found)


def test_nobody_is_told_anything_without_a_token(town: Town, license_id: str) -> None:
    with town.client() as nobody:
        with pytest.raises(NotAuthenticated):
            nobody.devices("m1")
        with pytest.raises(NotAuthenticated):
            send(nobody, "RenewDevice", device_id="d1")


def test_a_member_is_nobody_in_another_account(town: Town, license_id: str) -> None:
    with town.client("m2", "member") as stranger:
        with pytest.raises(NotAllowed):
            stranger.devices("m1")
        with pytest.raises(NotAllowed):
            send(stranger, "RenewDevice", device_id="d1")
