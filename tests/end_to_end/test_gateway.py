"""The front door dies in the middle of a request: the client tries again, one effect."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from airside.client import Airside
from airside.gateway.answers import CommandAnswer
from airside.wiring import open_deployment
from schemas.codec import CODEC
from schemas.record import COMMANDS_TOPIC, shard_of
from tests.kit.cli import CATALOG, Shell, at_work
from tests.kit.http_services import Service
from tests.kit.laws import COUNT_MAX
from tests.kit.witness import wait_until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]

ACCOUNT = "g1"
PATIENT = 1_000  # attempts: for as long as a gateway takes to start again
KILLS = 3
DEVICES = 120
KEY = "01935e5a-5480-7000-8000-000000000001"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A deployment whose account has a device."""
    shell = Shell(tmp_path / "data")
    with at_work(shell, "up"):
        shell("catalog", "load", str(CATALOG))
        shell.send("OpenAccount", f"account_id={ACCOUNT}", "plan_id=premium", "country=DE")
        shell.send("RegisterDevice", f"account_id={ACCOUNT}", "device_id=d1")
    return shell


def client_of(url: str) -> Airside:
    return Airside(url, attempts_max=PATIENT)


def events_of(shell: Shell, command_id: str) -> list[str]:
    """What the history holds of one command."""
    with open_deployment(shell.settings) as deployment, deployment.event_store() as store:
        shard = shard_of(ACCOUNT, deployment.shards)
        stored = store.read(shard, after_seq=0, count_max=COUNT_MAX)
    events = [CODEC.decode_event(one.data) for one in stored]
    return [type(one).__name__ for one in events if one.command_id == command_id]


def appended(shell: Shell) -> int:
    """How many records the account's partition of the commands topic has."""
    with open_deployment(shell.settings) as deployment, deployment.log() as log:
        return log.source(COMMANDS_TOPIC, shard_of(ACCOUNT, deployment.shards)).end()


def test_killed_while_a_client_waits_for_the_outcome(shell: Shell) -> None:
    before = appended(shell)
    with (
        Service(shell, "gateway") as gateway,
        client_of(gateway.url) as client,
        ThreadPoolExecutor(1) as thread,
    ):
        sending = thread.submit(acquire, client)  # nobody decides yet: it stays open
        wait_until("the command is on the topic", lambda: appended(shell) > before)
        gateway.restart()
        wait_until("it was sent again", lambda: appended(shell) > before + 1)
        with at_work(shell, "up"):
            answer = sending.result(120)
    assert answer.outcome is not None
    assert answer.outcome.status == "accepted"
    assert events_of(shell, answer.command_id).count("LicenseIssued") == 1


def acquire(client: Airside) -> CommandAnswer:
    """One license, and its outcome."""
    return client.send(
        ACCOUNT, "AcquireLicense", wait_seconds=30, device_id="d1", title_id="t1"
    )


def test_killed_again_and_again_under_load(shell: Shell) -> None:
    with (
        at_work(shell, "up"),
        Service(shell, "gateway") as gateway,
        client_of(gateway.url) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        sending = [threads.submit(register, client, n) for n in range(DEVICES)]
        kill_as_they_come(gateway, lambda: sum(one.done() for one in sending))
        sent = [one.result(180) for one in sending]
    assert [events_of(shell, one) for one in sent] == [["DeviceRegistered"]] * DEVICES


def register(client: Airside, number: int) -> str:
    """One device more; the command's id."""
    device_id = f"device-{number}"
    answer = client.send(ACCOUNT, "RegisterDevice", wait_seconds=30, device_id=device_id)
    assert answer.outcome is not None
    return answer.command_id


def kill_as_they_come(gateway: Service, answered: Callable[[], int]) -> None:
    """Kill the gateway each time another part of the requests is answered."""
    for part in range(1, KILLS + 1):
        enough = DEVICES * part // (KILLS + 2)
        wait_until("some are answered", partial(is_least, answered, enough))
        gateway.restart()


def is_least(count: Callable[[], int], least: int) -> bool:
    return count() >= least


def test_a_gateway_that_is_told_to_stop_finishes_what_it_has_begun(shell: Shell) -> None:
    before = appended(shell)
    with (
        Service(shell, "gateway") as gateway,
        ThreadPoolExecutor(1) as thread,
        httpx.Client(timeout=60) as client,
    ):
        sending = thread.submit(
            client.post,
            f"{gateway.url}/v1/accounts/{ACCOUNT}/commands",
            json={"type": "RenewDevice", "device_id": "d1"},
            headers={"Idempotency-Key": KEY, "Prefer": "wait=2"},
        )
        wait_until("the command is on the topic", lambda: appended(shell) > before)
        code = gateway.stop()
        response = sending.result(60)
    assert (response.status_code, code) == (202, 0)
