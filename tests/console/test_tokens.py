"""Whose console it is: tokens are entered, kept to the tab, and refused in words."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit.cli import Shell
from tests.kit.console import Watched, address_of, watched
from tests.kit.tokens import ISSUER, Issuer

pytestmark = [pytest.mark.engines, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def guarded(shell: Shell, issuer: Issuer) -> Iterator[str]:
    """The address of a service that wants tokens."""
    keys: Path = issuer.file
    worker = shell.start("serve", "--port", "0", "--keys", str(keys), "--issuer", ISSUER)
    try:
        yield address_of(worker)
    finally:
        worker.stop()


@pytest.fixture
def console(browser: Browser, guarded: str) -> Iterator[Watched]:
    with watched(browser, guarded) as made:
        yield made


def enter(page: Page, token: str) -> None:
    """As a person does it, from wherever."""
    page.locator("#token").click()
    page.get_by_label("Token", exact=True).fill(token)
    page.get_by_role("button", name="Use this token").click()


def test_without_a_token_it_is_asked_for_and_then_the_page_is_there(
    console: Watched, issuer: Issuer
) -> None:
    page = console.open("#/accounts/a1")
    expect(page.get_by_role("alert")).to_contain_text("A token is needed.")
    page.get_by_role("button", name="Enter a token").click()
    expect(page.get_by_label("Token", exact=True)).to_be_focused()
    page.get_by_label("Token", exact=True).fill(issuer.token(sub="sam", scope="support"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name="Timeline")).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Token: sam")).to_be_visible()


def test_a_token_lives_in_the_tab_alone_and_never_in_an_address(
    console: Watched, issuer: Issuer
) -> None:
    urls: list[str] = []
    console.page.on("request", lambda request: urls.append(request.url))
    page, token = console.open("#/accounts/a1"), issuer.token(scope="support")
    enter(page, token)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('airside.token')") == token
    assert token not in page.evaluate("JSON.stringify(localStorage) + document.cookie")
    assert [url for url in [*urls, page.url] if token in url] == []


def test_a_token_is_forgotten_when_told_to(console: Watched, issuer: Issuer) -> None:
    page = console.open("#/accounts/a1")
    enter(page, issuer.token(scope="support"))
    expect(page.get_by_role("heading", level=2, name="Timeline")).to_be_visible()
    page.locator("#token").click()
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_role("alert")).to_contain_text("A token is needed.")
    assert page.evaluate("sessionStorage.getItem('airside.token')") is None


def test_what_is_no_token_is_refused_before_it_is_used(console: Watched) -> None:
    page = console.open("#/")
    enter(page, "certainly not one")
    expect(page.locator("#token-error")).to_contain_text("There is a space or a line break")
    page.get_by_label("Token", exact=True).fill("abc")
    page.get_by_role("button", name="Use this token").click()
    expect(page.locator("#token-error")).to_contain_text("A token has three parts")
    expect(page.get_by_label("Token", exact=True)).to_be_focused()


def test_a_token_that_ran_out_is_told_so_in_words(console: Watched, issuer: Issuer) -> None:
    page = console.open("#/accounts/a1")
    enter(page, issuer.token(sub="sam", scope="support", exp=int(time.time()) - 600))
    problem = page.locator(".problem")
    expect(problem).to_contain_text("The token was not accepted.")
    expect(problem).to_contain_text("it has expired")
    expect(problem).to_contain_text("It is that of sam and ran out on")
    expect(problem.get_by_role("button", name="Use another token")).to_be_visible()


def test_a_member_is_told_why_another_account_is_closed_to_it(
    console: Watched, issuer: Issuer
) -> None:
    page = console.open("#/accounts/long")
    enter(page, issuer.token(sub="a1", scope="member"))
    expect(page.get_by_role("alert")).to_contain_text("This is not for your token.")
    expect(page.get_by_role("alert")).to_contain_text(
        "It is that of a1, with the scope member."
    )


def test_support_is_told_that_the_pipeline_is_for_operators(
    console: Watched, issuer: Issuer
) -> None:
    page = console.open("#/pipeline")
    enter(page, issuer.token(sub="sam", scope="support"))
    expect(page.get_by_role("alert")).to_contain_text("This needs the scope operator")
    enter(page, issuer.token(sub="olga", scope="operator"))
    expect(page.get_by_role("table", name="Served read models")).to_be_visible()
