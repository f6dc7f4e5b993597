"""A small real history for people to look at, and a browser's page that is watched."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from playwright.sync_api import Browser, ConsoleMessage, Page, Response

from airside.wiring import open_deployment
from projectors.view_store import Builder, Generation
from schemas.envelope import new_id
from schemas.record import COMMANDS_TOPIC, shard_of
from tests.kit.cli import CATALOG, PATIENTLY, ROOT, Shell, Worker

WAIT_MS = 60_000  # for whatever the page should show: a busy machine is no finding
SCREENSHOTS = ROOT / "build" / "screenshots"  # kept out of git
MARKUP = "<img src=x onerror=alert(1)>"  # an account id as somebody nasty would choose it
NOTE = "<script>alert('note')</script>"
REFUSED = ("The title was downloaded as often as it may be in its period.", "R14")
STEPS = [
    ("OpenAccount", {"plan_id": "standard", "country": "US"}),
    ("RegisterDevice", {"device_id": "d1", "model": "Pixel 9"}),
    ("RegisterDevice", {"device_id": "d2", "model": "iPad"}),
    ("AcquireLicense", {"device_id": "d1", "title_id": "t1"}),
    ("AcquireLicense", {"device_id": "d1", "title_id": "t22"}),
    ("AcquireLicense", {"device_id": "d1", "title_id": "t22"}),
    ("AcquireLicense", {"device_id": "d1", "title_id": "t22"}),  # refused: twice a year
]
LONG_LIFE = 60  # times that the account `long` has an event more


def live_through(shell: Shell) -> None:
    """Accounts `a1`, `long` and one whose id is markup; a poisoned one; a replay under way."""
    assert shell("catalog", "load", str(CATALOG)).code == 0
    commands = [{"type": kind, "account_id": "a1", **told} for kind, told in STEPS]
    commands += _nasty() + _long()
    send_all(shell, commands)
    poison(shell, "held")


def send_all(shell: Shell, commands: list[dict[str, Any]]) -> None:
    """Send these and wait for their outcomes."""
    path = shell.data / f"{new_id()}.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in commands))
    ran = shell("send", "--file", str(path), *PATIENTLY)
    assert ran.code in (0, 3), ran.err


def _nasty() -> list[dict[str, Any]]:
    grant = {"count": 1, "title_id": "t1", "expires_at": 4_000_000_000_000, "note": NOTE}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("OpenAccount", {"plan_id": "standard", "country": "US"}),
        ("RegisterDevice", {"device_id": "<i>d1</i>", "model": "<u>model</u>"}),
        ("AcquireLicense", {"device_id": "<i>d1</i>", "title_id": "<b>t1</b>"}),
        ("GrantAllowance", grant),
    ]
    return [{"type": kind, "account_id": MARKUP, **told} for kind, told in steps]


def _long() -> list[dict[str, Any]]:
    opened: dict[str, Any] = {"type": "OpenAccount", "plan_id": "premium", "country": "US"}
    changes = [{"type": "ChangeCountry", "country": country} for country in ("DE", "US")]
    steps = [opened, *changes * (LONG_LIFE // 2)]
    return [{**one, "account_id": "long"} for one in steps]


def poison(shell: Shell, account_id: str) -> None:
    """Put bytes onto the commands topic that nobody can read: they are parked."""
    with open_deployment(shell.settings) as deployment, deployment.log() as topics:
        shard = shard_of(account_id, deployment.shards)
        topics.append(COMMANDS_TOPIC, shard, [(account_id.encode(), b"not avro at all")])


@contextmanager
def building(shell: Shell, *, done: int, total: int) -> Iterator[None]:
    """For as long as the block lasts, somebody builds downloads anew and has come so far."""
    builder = Builder("host, process 7", new_id(), 1, "building", done, total, 42.0)
    made = Generation("downloads", 99, "f" * 16, created_at=1, builder=builder)
    with open_deployment(shell.settings) as deployment, deployment.view_store() as views:
        before = views.registry("downloads")
        both = (*before.generations, made)
        after = replace(before, revision=before.revision + 1, generations=both)
        views.change_registry("downloads", before.revision, after)
        try:
            yield
        finally:
            last = replace(before, revision=after.revision + 1)
            views.change_registry("downloads", after.revision, last)


def address_of(worker: Worker) -> str:
    """Where a service listens, as it said itself."""
    said = worker.text.partition(" is up: ")[2]
    return said.partition(",")[0]


@dataclass
class Watched:
    """A page, and everything about it that is an error: scripts' and the policy's."""

    page: Page
    console_url: str
    errors: list[str] = field(default_factory=list)

    def open(self, route: str = "#/") -> Page:
        """Go to a route of the console."""
        self.page.goto(f"{self.console_url}{route}")
        return self.page

    def shot(self, name: str) -> Path:
        """Keep what it looks like, and say where."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path


@contextmanager
def watched(browser: Browser, base_url: str, **options: Any) -> Iterator[Watched]:
    """A fresh profile with one page. At the end: no script failed, no rule was broken."""
    context = browser.new_context(locale="en-GB", timezone_id="Europe/Berlin", **options)
    context.set_default_timeout(WAIT_MS)
    try:
        made = Watched(context.new_page(), f"{base_url}/console/")
        made.page.on("console", lambda message: _note(made.errors, message))
        made.page.on("pageerror", lambda error: made.errors.append(str(error)))
        made.page.on("response", lambda answer: _note_foreign(made.errors, answer, base_url))
        yield made
    finally:
        context.close()
    assert not made.errors, made.errors


def _note(errors: list[str], message: ConsoleMessage) -> None:
    is_answer = message.text.startswith("Failed to load resource")  # an answer that is no 200
    if message.type in ("error", "warning") and not is_answer:
        errors.append(message.text)


def _note_foreign(errors: list[str], answer: Response, base_url: str) -> None:
    if not answer.url.startswith(base_url):
        errors.append(f"{answer.url} is from elsewhere")
