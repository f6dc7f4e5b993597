"""The front door on the real engines: Kafka is away, and comes back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from airside.client import Airside
from airside.wiring import open_deployment
from schemas.codec import CODEC
from schemas.record import shard_of
from stack.cassandra import CassandraNode
from stack.kafka import KafkaBroker
from stack.valkey import ValkeyServer
from tests.kit.cli import Shell, at_work
from tests.kit.engines import on_engines, running
from tests.kit.http_services import Service
from tests.kit.laws import COUNT_MAX

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

ACCOUNT = "g1"
PATIENT = 1_000


@pytest.fixture
def shell(cassandra: CassandraNode, kafka: KafkaBroker, tmp_path: Path) -> Iterator[Shell]:
    with running(ValkeyServer(tmp_path / "valkey")) as views:
        yield on_engines(
            tmp_path / "data",
            events=f"cassandra://{cassandra.address}",
            log=kafka.url,
            views=views.url,
        )


def events_of(shell: Shell, command_id: str) -> list[str]:
    """What the history holds of one command."""
    with open_deployment(shell.settings) as deployment, deployment.event_store() as store:
        shard = shard_of(ACCOUNT, deployment.shards)
        stored = store.read(shard, after_seq=0, count_max=COUNT_MAX)
    events = [CODEC.decode_event(one.data) for one in stored]
    return [type(one).__name__ for one in events if one.command_id == command_id]


def post(url: str, key: str) -> httpx.Response:
    """One attempt, as it is."""
    return httpx.post(
        f"{url}/v1/accounts/{ACCOUNT}/commands",
        json={"type": "OpenAccount", "plan_id": "premium", "country": "DE"},
        headers={"Idempotency-Key": key},
        timeout=60,
    )


def test_without_kafka_it_is_503_and_a_retry_takes_effect_once(
    shell: Shell, kafka: KafkaBroker
) -> None:
    with (
        Service(shell, "gateway") as gateway,
        Airside(gateway.url, attempts_max=PATIENT) as client,
        ThreadPoolExecutor(1) as thread,
    ):
        client.send(ACCOUNT, "RenewDevice", wait_seconds=0, device_id="d0")  # its link is open
        key = client.new_key()
        kafka.kill()
        try:
            first = post(gateway.url, key)
            again = post(gateway.url, key)
            readiness = httpx.get(f"{gateway.url}/readyz", timeout=60)
            sending = thread.submit(
                lambda: client.send(
                    ACCOUNT,
                    "OpenAccount",
                    key=key,
                    wait_seconds=30,
                    plan_id="premium",
                    country="DE",
                )
            )
        finally:
            kafka.start()
        with at_work(shell, "up"):
            answer = sending.result(200)
            answer = client.send(
                ACCOUNT,
                "OpenAccount",
                key=key,
                wait_seconds=30,
                plan_id="premium",
                country="DE",
            )
    assert (first.status_code, again.status_code, readiness.status_code) == (503, 503, 503)
    assert first.headers["Retry-After"] == "1"
    assert "Are the brokers running" in first.json()["detail"]
    assert answer.outcome is not None
    assert (answer.outcome.status, events_of(shell, answer.command_id)) == (
        "accepted",
        ["AccountOpened"],
    )


def test_a_gateway_starts_without_kafka_and_is_ready_when_it_comes(
    shell: Shell, kafka: KafkaBroker
) -> None:
    kafka.kill()
    try:
        gateway = Service(shell, "gateway")
    finally:
        kafka.start()
    with gateway, Airside(gateway.url, attempts_max=PATIENT) as client:
        answer = client.send(ACCOUNT, "RenewDevice", wait_seconds=0, device_id="d0")
        readiness = httpx.get(f"{gateway.url}/readyz", timeout=60)
    assert answer.account_id == ACCOUNT
    assert readiness.json() == {"ready": True, "missing": {}}
