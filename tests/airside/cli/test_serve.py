"""`airside serve` as a process: read models that are away and back, and what it says."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stack.valkey import ValkeyServer
from tests.kit.cli import AIRSIDE, Shell, at_work
from tests.kit.served_history import serving, story
from tests.kit.tokens import ISSUER, Issuer, bearer
from tests.kit.witness import wait_until

pytestmark = pytest.mark.engines

DOWNLOADS = "/v1/accounts/a1/downloads"


@pytest.fixture(scope="module")
def views(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path_factory.mktemp("views"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shell(views: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A deployment with a small history; its read models are on a server of their own."""
    shell = Shell(tmp_path_factory.mktemp("data") / "airside", views=views.url)
    with at_work(shell, "up"):
        story(shell)
        yield shell


@pytest.fixture(scope="module")
def client(shell: Shell) -> Iterator[httpx.Client]:
    with serving(shell) as (_, client):
        yield client


def status(client: httpx.Client, path: str) -> int:
    return client.get(path).status_code


def test_a_command_is_read_by_its_token(shell: Shell, client: httpx.Client) -> None:
    sent = shell.send("RegisterDevice", "account_id=a1", "device_id=d9")

    found = client.get(f"/v1/accounts/a1/devices?min_version={sent['token']}&wait=60").json()

    assert found["standing"]["fresh"]
    assert "d9" in [one["device_id"] for one in found["devices"]]


def test_without_read_models_it_says_when_to_ask_again_and_recovers_by_itself(
    views: ValkeyServer, client: httpx.Client
) -> None:
    assert status(client, DOWNLOADS) == 200
    views.kill()
    try:
        away = client.get(DOWNLOADS)
        wait_until("it is not ready", lambda: status(client, "/readyz") == 503)
        missing = client.get("/readyz").json()["missing"]
        alive = status(client, "/livez")
    finally:
        views.start()

    assert (away.status_code, away.headers["retry-after"], alive) == (503, "1", 200)
    assert away.json()["type"] == "urn:airside:problem:unavailable"
    assert "read models" in missing
    wait_until("it answers again", lambda: status(client, DOWNLOADS) == 200)
    wait_until("it is ready again", lambda: status(client, "/readyz") == 200)


def test_read_models_that_stand_still_are_not_awaited_for_ever(
    views: ValkeyServer, client: httpx.Client
) -> None:
    views.pause()
    try:
        away = client.get(DOWNLOADS)
    finally:
        views.go_on()

    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    wait_until("it answers again", lambda: status(client, DOWNLOADS) == 200)


def test_it_starts_without_read_models_and_serves_as_soon_as_they_are_there(
    views: ValkeyServer, shell: Shell
) -> None:
    views.kill()
    with serving(shell) as (_, client):
        early = [status(client, path) for path in ("/livez", "/readyz", DOWNLOADS)]
        views.start()
        wait_until("it answers", lambda: status(client, DOWNLOADS) == 200)

    assert early == [200, 503, 503]


def test_its_log_says_nothing_about_anybody(
    shell: Shell, views: ValkeyServer, tmp_path: Path
) -> None:
    issuer = Issuer(tmp_path)
    token = issuer.token(sub="a1")
    options = ("--keys", str(issuer.file), "--issuer", ISSUER)
    with serving(shell, *options, program=(*AIRSIDE, "-v")) as (worker, client):
        good = client.get(DOWNLOADS, headers=bearer(token))
        bad = client.get("/v1/accounts/somebody-else/downloads", headers=bearer(token))
        unknown = client.get("/v1/accounts/a1/licenses?device_id=my-phone", headers=bearer("x"))
        views.pause()
        away = client.get(DOWNLOADS, headers=bearer(token))
        views.go_on()
        said = worker.text

    assert [one.status_code for one in (good, bad, unknown, away)] == [200, 403, 401, 503]
    assert good.headers["x-request-id"] in said
    assert "route=/v1/accounts/{account_id}/downloads status=503" in said
    for_nobody = ["/a1", "somebody-else", "my-phone", token, token.rpartition(".")[2]]
    assert [word for word in for_nobody if word in said] == []


def test_it_stops_at_a_signal_of_the_system(shell: Shell) -> None:
    with serving(shell) as (worker, client):
        assert status(client, "/livez") == 200
        worker.process.terminate()

        assert worker.process.wait(60) == 0
        assert "airside serve is down." in worker.text


def test_without_keys_it_says_so_and_listens_to_this_machine_only(shell: Shell) -> None:
    with serving(shell) as (worker, client):
        said = worker.text

    refused = shell("serve", "--host", "0.0.0.0", "--port", "0")

    assert "NO KEYS" in said
    assert client.base_url.host == "127.0.0.1"
    assert (refused.code, "would be an operator" in refused.err) == (2, True)


def test_a_key_file_that_is_no_good_is_said_before_anything_is_served(shell: Shell) -> None:
    refused = shell("serve", "--port", "0", "--keys", "no-such-file.json")

    assert (refused.code, "no-such-file.json" in refused.err) == (2, True)
