"""When answers do not come: told in words, asked again by itself, and recovered from."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.kit.cli import Shell
from tests.kit.console import Watched, send_all

pytestmark = [pytest.mark.engines, pytest.mark.timeout(400)]

Open = Callable[[str], Page]
AWAY = '{"title": "The service cannot answer now", "detail": "redis: connection refused."}'


def away(route: Route) -> None:
    """As the service answers while its read models are away."""
    headers = {"Retry-After": "2", "Content-Type": "application/problem+json"}
    route.fulfill(status=503, headers=headers, body=AWAY)


def test_an_answer_that_cannot_be_given_now_is_asked_for_again(console: Watched) -> None:
    console.page.route("**/v1/accounts/a1/timeline*", away)
    page = console.open("#/accounts/a1")
    expect(page.get_by_role("alert")).to_contain_text("The service cannot answer just now.")
    expect(page.get_by_role("alert")).to_contain_text("redis: connection refused.")
    expect(page.get_by_text("Asking again in")).to_be_visible()
    page.unroute("**/v1/accounts/a1/timeline*")
    expect(page.get_by_role("heading", level=2, name="Timeline")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_person_may_ask_again_at_once(console: Watched) -> None:
    console.page.route("**/v1/projections", lambda route: route.fulfill(status=500, body="{}"))
    page = console.open("#/pipeline")
    expect(page.get_by_role("alert")).to_contain_text("The service answered 500.")
    page.unroute("**/v1/projections")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_role("table", name="Served read models")).to_be_visible()


def test_what_was_shown_stays_while_the_service_is_away(console: Watched) -> None:
    page = console.open("#/pipeline")
    served = page.get_by_role("table", name="Served read models")
    expect(served).to_be_visible()
    page.route("**/v1/**", lambda route: route.abort())
    expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached.")
    expect(served).to_be_visible()


def test_without_the_stream_changes_are_asked_for_now_and_then(
    console: Watched, shell: Shell
) -> None:
    console.page.route("**/v1/accounts/a1/events", away)
    page = console.open("#/accounts/a1")
    expect(page.get_by_text("Every 5 s", exact=True)).to_be_visible()
    before = page.locator(".entry").count()
    send_all(shell, [{"type": "ChangeCountry", "account_id": "a1", "country": "CH"}])
    expect(page.locator(".entry")).to_have_count(before + 1)
    page.unroute("**/v1/accounts/a1/events")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def test_one_who_asks_too_often_is_told_when_to_come_back(console: Watched) -> None:
    answer = {"Retry-After": "9", "Content-Type": "application/problem+json"}
    console.page.route(
        "**/v1/refusals",
        lambda route: route.fulfill(status=429, headers=answer, body='{"detail": "Less."}'),
    )
    page = console.open("#/")
    expect(page.get_by_role("alert")).to_contain_text("Too many questions at once.")
    expect(page.get_by_text("Asking again in")).to_be_visible()
