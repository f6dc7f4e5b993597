"""The real service on the embedded engines with a small history, and a real browser."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.kit.cli import Shell, at_work
from tests.kit.console import WAIT_MS, Watched, address_of, live_through, watched

expect.set_options(timeout=WAIT_MS)

Open = Callable[[str], Page]


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Debian's Chromium. Its sandbox does not work for root, who is alone in a container."""
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium, args=options)
        yield made
        made.close()


@pytest.fixture(scope="package")
def shell(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The deployment at work, with a history."""
    shell = Shell(tmp_path_factory.mktemp("console") / "data")
    with at_work(shell, "up"):
        live_through(shell)
        yield shell


@pytest.fixture(scope="package")
def service(shell: Shell) -> Iterator[str]:
    """The address of `airside serve` without keys: everybody is an operator."""
    worker = shell.start("serve", "--port", "0")
    try:
        yield address_of(worker)
    finally:
        worker.stop()


@pytest.fixture
def console(browser: Browser, service: str) -> Iterator[Watched]:
    """A fresh page. A script's error, or something that the policy forbids, fails the test."""
    with watched(browser, service) as made:
        yield made


@pytest.fixture
def open_page(console: Watched) -> Open:
    """Opens a route of the console."""
    return console.open
