"""An account on the console: found, shown section by section, and followed while it changes."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.kit.cli import Shell
from tests.kit.console import LONG_LIFE, REFUSED, Watched, send_all

pytestmark = [pytest.mark.engines, pytest.mark.timeout(400)]

Open = Callable[[str], Page]

UTC = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$")


def test_an_account_is_found_by_its_id(open_page: Open) -> None:
    page = open_page("#/")
    page.get_by_role("searchbox", name="Account id").fill("a1")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", level=1, name="a1")).to_be_focused()
    expect(page).to_have_title("a1: Timeline · airside console")


def test_a_refusal_is_told_in_words_with_rule_policies_and_numbers(open_page: Open) -> None:
    page = open_page("#/accounts/a1")
    refusal = page.get_by_role("listitem").filter(has_text="Refused: acquire license")
    words, rule = REFUSED
    expect(refusal).to_contain_text(words)
    expect(refusal).to_contain_text("The limit of the title was 2, and 2 of it were used.")
    expect(refusal.locator("dl.inline")).to_contain_text(f"Rule{rule}")
    expect(refusal.locator("dl.inline")).to_contain_text("Policiescatalog 78")
    expect(refusal.locator("dl.inline")).to_contain_text("Used2 of 2")
    expect(refusal.locator("dl.inline")).to_contain_text("Possible again")


def test_a_time_is_local_and_is_utc_on_hover(open_page: Open) -> None:
    page = open_page("#/accounts/a1")
    shown = page.locator(".entry-time time").first
    expect(shown).to_have_attribute("title", UTC)
    hours = page.evaluate(
        "(one) => [one.textContent.slice(0, 2), one.title.slice(11, 13)].map(Number)",
        shown.element_handle(),
    )
    assert (hours[0] - hours[1]) % 24 in (1, 2)  # Berlin


def test_the_timeline_can_show_refusals_alone(open_page: Open) -> None:
    page = open_page("#/accounts/a1")
    page.get_by_role("link", name="Refusals").click()
    expect(page.locator(".entry")).to_have_count(1)
    assert page.url.endswith("#/accounts/a1/timeline?refusals=1")


def test_details_of_an_event_stay_open_while_the_page_is_redrawn(
    open_page: Open, shell: Shell
) -> None:
    page = open_page("#/accounts/a1")
    page.get_by_text("Account opened").click()
    expect(page.locator("details[open]")).to_contain_text("AccountOpened, version 1")
    events = page.locator(".entry")
    before = events.count()
    send_all(shell, [{"type": "ChangeCountry", "account_id": "a1", "country": "DE"}])
    expect(events).to_have_count(before + 1)
    expect(page.locator("details[open]")).to_contain_text("AccountOpened, version 1")


def test_what_came_before_is_shown_on_demand(open_page: Open) -> None:
    page = open_page("#/accounts/long")
    expect(page.locator(".entry")).to_have_count(50)
    page.get_by_role("button", name="Show what came before").click()
    expect(page.locator(".entry")).to_have_count(LONG_LIFE + 1)
    expect(page.get_by_text("Account opened")).to_be_visible()
    expect(page.get_by_role("button", name="Show what came before")).to_have_count(0)


def test_what_happens_is_shown_and_said_without_reloading(
    open_page: Open, shell: Shell
) -> None:
    page = open_page("#/accounts/a1/devices")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    device = {"type": "RegisterDevice", "account_id": "a1", "device_id": "d9", "model": "new"}
    send_all(shell, [device])
    expect(page.get_by_role("rowheader", name="d9")).to_be_visible()
    expect(page.get_by_role("status").last).to_contain_text("New: Device registered")


def test_devices_show_their_slots(open_page: Open) -> None:
    page = open_page("#/accounts/a1/devices")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="d1"))
    expect(row).to_contain_text("Pixel 9")
    expect(row).to_contain_text("In use")
    expect(page.get_by_text("1 slot used, of 2.")).to_be_visible()


def test_licenses_are_filtered_by_their_state(open_page: Open) -> None:
    page = open_page("#/accounts/a1/licenses")
    expect(page.get_by_role("table", name="Licenses").get_by_role("row")).to_have_count(4)
    page.get_by_role("link", name="Revoked 0").click()
    expect(page.get_by_text("No license is in this state.")).to_be_visible()


def test_downloads_show_used_limit_left_and_when_again(open_page: Open) -> None:
    page = open_page("#/accounts/a1/downloads")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="t22"))
    expect(row.get_by_role("cell").nth(0)).to_have_text("2 of 2")
    expect(row.get_by_role("cell").nth(1)).to_have_text("0")
    expect(row.get_by_role("cell").nth(4)).to_contain_text("in 36")
    row.get_by_role("link", name="Ask the rules about t22").click()
    expect(page.get_by_label("Title id")).to_have_value("t22")


def test_the_rules_say_why_a_device_cannot_download_a_title(open_page: Open) -> None:
    page = open_page("#/accounts/a1/check")
    expect(page.get_by_text("Choose a device and a title.")).to_be_visible()
    page.get_by_label("Device").select_option("d1")
    page.get_by_label("Title id").fill("t22")
    page.get_by_role("button", name="Ask the rules").click()
    expect(page.get_by_role("heading", name="No t22 on d1")).to_be_visible()
    reasons = page.get_by_role("list", name="Rules that would refuse")
    expect(reasons).to_contain_text(REFUSED[0])
    assert page.url.endswith("#/accounts/a1/check?device=d1&title=t22")


def test_a_download_that_is_allowed_is_told_so_from_a_deep_link(open_page: Open) -> None:
    page = open_page("#/accounts/a1/check?device=d1&title=t2")
    expect(page.get_by_role("heading", name="Yes t2 on d1")).to_be_visible()


def test_an_unknown_account_is_told_in_words(open_page: Open) -> None:
    page = open_page("#/accounts/nobody-at-all")
    expect(page.get_by_role("alert")).to_contain_text("Not found.")
    expect(page.get_by_role("alert")).to_contain_text("Account nobody-at-all: unknown")


def test_going_back_leads_to_where_one_was(open_page: Open) -> None:
    page = open_page("#/accounts/a1/licenses")
    page.get_by_role("link", name="Devices").click()
    expect(page.get_by_role("heading", level=2, name="Devices")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=2, name="Licenses")).to_be_visible()
    expect(page.get_by_role("link", name="Licenses")).to_have_attribute("aria-current", "page")


def test_accounts_that_were_opened_are_offered_again_in_this_tab(open_page: Open) -> None:
    page = open_page("#/accounts/a1")
    expect(page.get_by_role("heading", level=2, name="Timeline")).to_be_visible()
    page.get_by_role("link", name="Accounts").click()
    offered = page.get_by_role("navigation", name="Opened in this tab")
    expect(offered.get_by_role("link", name="a1")).to_be_visible()


def test_an_id_is_copied(console: Watched) -> None:
    console.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = console.open("#/accounts/a1")
    page.get_by_role("button", name="Copy account id a1").click()
    expect(page.get_by_text("Copied a1")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "a1"
