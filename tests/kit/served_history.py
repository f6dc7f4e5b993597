"""`airside up` and `airside serve` as processes, with a small history, and a client."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.kit.cli import AIRSIDE, CATALOG, Shell, Worker, at_work

SECONDS_MAX = 60.0  # for one answer, on a busy machine


def story(shell: Shell) -> str:
    """A member's first download; the read-your-writes token of its last command."""
    loaded = shell("catalog", "load", str(CATALOG))
    assert loaded.code == 0, loaded.err
    shell.send("OpenAccount", "account_id=a1", "plan_id=standard", "country=DE")
    shell.send("RegisterDevice", "account_id=a1", "device_id=d1")
    sent = shell.send("AcquireLicense", "account_id=a1", "device_id=d1", "title_id=t1")
    return str(sent["token"])


@contextmanager
def serving(
    shell: Shell, *options: str, program: Sequence[str] = AIRSIDE
) -> Iterator[tuple[Worker, httpx.Client]]:
    """The query service on a free port, and a client of it."""
    worker = shell.start("serve", "--port", "0", *options, program=program)
    try:
        url = re.search(r"http://\S+?:\d+", worker.text)
        assert url is not None, worker.text
        with httpx.Client(base_url=url[0], timeout=SECONDS_MAX, trust_env=False) as client:
            yield worker, client
    finally:
        code = worker.stop()
    assert code == 0, worker.last_words


@contextmanager
def served_history(data: Path, *options: str) -> Iterator[tuple[Shell, httpx.Client, str]]:
    """Everything at once, on embedded engines; the token is that of the last command."""
    shell = Shell(data)
    with at_work(shell, "up"):
        token = story(shell)
        with serving(shell, *options) as (_, client):
            yield shell, client, token
