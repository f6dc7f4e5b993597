"""Who cannot see the console, or has no mouse, can use it; both themes can be read."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit.console import Watched, watched

pytestmark = [pytest.mark.engines, pytest.mark.timeout(400)]

Open = Callable[[str], Page]
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
ROUTES = {
    "home": ("#/", "Refused, over all accounts"),
    "timeline": ("#/accounts/a1", "Timeline"),
    "devices": ("#/accounts/a1/devices", "Devices"),
    "licenses": ("#/accounts/a1/licenses", "Licenses"),
    "downloads": ("#/accounts/a1/downloads", "By title"),
    "check": ("#/accounts/a1/check?device=d1&title=t22", "Can it download?"),
    "pipeline": ("#/pipeline", "Parked"),
}
SIZES = {"laptop": {"width": 1_280, "height": 800}, "phone": {"width": 390, "height": 844}}


def shown(console: Watched, name: str) -> Page:
    """The page of that name, whole."""
    route, heading = ROUTES[name]
    page = console.open(route)
    expect(page.get_by_role("heading", level=2, name=heading, exact=True)).to_be_visible()
    return page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ROUTES)
def test_every_text_can_be_read(
    browser: Browser, service: str, name: str, theme: str, size: str
) -> None:
    options = {"color_scheme": theme, "viewport": SIZES[size]}
    with watched(browser, service, **options) as console:
        page = shown(console, name)
        assert console.shot(f"{name}-{size}-{theme}").stat().st_size > 0
        assert page.evaluate(CONTRAST) == []
        beyond = "document.documentElement.scrollWidth - innerWidth"
        assert page.evaluate(beyond) <= 0  # nothing is cut off, nothing scrolls sideways


def test_the_theme_is_chosen_and_kept(console: Watched) -> None:
    page = console.open("#/")
    expect(page.get_by_role("button", name="Theme: system")).to_be_visible()
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(17, 20, 23)"
    page.reload()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate(ground) == "rgb(17, 20, 23)"


def test_the_keyboard_alone_finds_an_account_and_asks_the_rules(console: Watched) -> None:
    page = shown(console, "home")
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    press("Tab")
    page.keyboard.type("a1")
    press("Enter")
    expect(page.get_by_role("heading", level=1, name="a1")).to_be_focused()
    expect(page.get_by_role("link", name="Can it download?")).to_be_visible()
    reach(page, "Can it download?")
    press("Enter")
    expect(page.get_by_label("Device")).to_be_visible()
    press("Tab")
    expect(page.get_by_label("Device")).to_be_focused()
    press("Tab")
    page.keyboard.type("t22")
    press("Enter")
    expect(page.get_by_role("heading", level=3, name="No t22 on d1")).to_be_visible()


def roles_of(page: Page) -> Counter[str]:
    """How often each role is in the tree that the browser gives to a screen reader."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    return Counter(node["role"]["value"] for node in nodes if not node["ignored"])


def reach(page: Page, name: str) -> None:
    """Press Tab until the link of that name has the focus; it must come soon."""
    names: list[str] = []
    while len(names) < 12 and (not names or names[-1] != name):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent"))
    assert names[-1] == name, names


def test_what_has_the_focus_is_seen(console: Watched) -> None:
    page = shown(console, "devices")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_the_dialog_keeps_the_focus_and_gives_it_back(console: Watched) -> None:
    page = shown(console, "devices")
    page.get_by_role("button", name="No token").click()
    expect(page.get_by_role("dialog", name="Access token")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="No token")).to_be_focused()


def test_a_screen_reader_finds_landmarks_headings_and_tables(console: Watched) -> None:
    page = shown(console, "licenses")
    expect(page.locator("body")).to_match_aria_snapshot(
        """
        - link "Skip to content"
        - banner:
          - link "airside"
          - navigation "Main":
            - link "Accounts"
            - link "Pipeline"
          - search:
            - searchbox "Account id"
            - button "Open"
          - 'button "Theme: system"'
          - button "No token"
        - main:
          - heading "a1" [level=1]
          - button "Copy account id a1"
          - navigation "Account":
            - link /Timeline/
            - link /Devices \\d+/
            - link /Licenses 3/
            - link /Downloads 2/
            - link "Can it download?"
          - region "Licenses":
            - heading "Licenses" [level=2]
            - navigation "Show":
              - link "All 3"
            - table "Licenses":
              - rowgroup:
                - row:
                  - columnheader "License"
                  - columnheader "Title"
              - rowgroup:
                - row:
                  - rowheader
                  - cell "t22"
        - contentinfo:
          - paragraph: /Europe\\/Berlin/
        """
    )


def test_a_card_on_a_phone_is_still_a_row_of_a_table(browser: Browser, service: str) -> None:
    with watched(browser, service, viewport=SIZES["phone"]) as console:
        page = shown(console, "devices")
        devices = page.locator("tbody tr").count()
        roles = roles_of(page)
        assert (roles["table"], roles["row"]) == (1, 1 + devices)
        assert (roles["columnheader"], roles["rowheader"]) == (8, devices)
        assert roles["cell"] == 7 * devices


@pytest.mark.parametrize("name", ROUTES)
def test_ids_are_unique_and_every_control_has_a_name(console: Watched, name: str) -> None:
    page = shown(console, name)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    unnamed = page.locator(
        "main :is(button, a, input, select, textarea, summary):not([aria-label])"
    ).evaluate_all(
        "(all) => all.filter((one) => !one.textContent.trim() && !one.labels?.length)"
        ".map((one) => one.outerHTML)"
    )
    assert unnamed == []


def test_nothing_moves_for_who_does_not_want_it(browser: Browser, service: str) -> None:
    with watched(browser, service, reduced_motion="reduce") as console:
        page = shown(console, "pipeline")
        moving = page.evaluate(
            "[...document.querySelectorAll('*')].map((one) => getComputedStyle(one))"
            ".filter((one) => one.transitionDuration !== '0s' || one.animationName !== 'none')"
            ".length"
        )
        assert moving == 0
