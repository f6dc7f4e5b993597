"""What must not happen: markup from data, code from elsewhere, a console in a frame."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from airside.console.routes import TYPES, read_files
from tests.kit.console import MARKUP, NOTE, Watched

Open = Callable[[str], Page]
CONSOLE = Path(__file__).parents[2] / "airside" / "console"
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment"
    r"|DOMParser|srcdoc|\beval\(|new Function|javascript:|\bstyle=|\bon[a-z]+=\"|https?://"
)
LINES_MAX, CHARACTERS_MAX = 300, 96
NAMESPACE = "http://www.w3.org/2000/svg"  # a name, not an address


@pytest.mark.engines
@pytest.mark.timeout(400)
def test_markup_in_an_id_a_title_a_model_and_a_note_is_shown_as_text(console: Watched) -> None:
    page = console.open("#/")
    page.get_by_role("searchbox", name="Account id").fill(MARKUP)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    expect(page.locator(".sentence").filter(has_text=NOTE)).to_be_visible()
    page.get_by_role("link", name="Devices").click()
    expect(page.get_by_role("rowheader", name="<i>d1</i>")).to_be_visible()
    expect(page.get_by_role("cell", name="<u>model</u>")).to_be_visible()
    page.get_by_role("link", name="Can it download?").click()
    page.get_by_label("Title id").fill("<b>t1</b>")
    page.get_by_role("button", name="Ask the rules").click()
    expect(page.get_by_role("heading", level=3)).to_contain_text("<b>t1</b> on <i>d1</i>")
    assert page.locator("main img, main i, main u, main b, main script").count() == 0


@pytest.mark.engines
@pytest.mark.timeout(400)
def test_the_policy_stops_markup_made_from_text(console: Watched) -> None:
    page = console.open("#/")
    refused = page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return ''; }"
        " catch (error) { return error.name; } }"
    )
    assert refused == "TypeError"
    console.errors.clear()  # the browser's own word about it


@pytest.mark.engines
@pytest.mark.timeout(400)
@pytest.mark.parametrize("path", ["/", "/console"])
def test_a_person_who_types_only_so_much_comes_to_the_page(service: str, path: str) -> None:
    with urllib.request.urlopen(f"{service}{path}", timeout=60) as answer:
        assert answer.url == f"{service}/console/"


@pytest.mark.engines
@pytest.mark.timeout(400)
def test_the_page_and_its_files_are_under_a_strict_policy(service: str) -> None:
    with urllib.request.urlopen(f"{service}/console/", timeout=60) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.engines
@pytest.mark.timeout(400)
def test_a_file_that_is_known_already_is_not_sent_again(service: str) -> None:
    with urllib.request.urlopen(f"{service}/console/app.js", timeout=60) as answer:
        etag = answer.headers["ETag"]
    again = urllib.request.Request(
        f"{service}/console/app.js", headers={"If-None-Match": f'"other", {etag}'}
    )
    with pytest.raises(urllib.error.HTTPError, match="304"):
        urllib.request.urlopen(again, timeout=60)


@pytest.mark.engines
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "name", ["routes.py", "__init__.py", "..%2Fsettings.py", "%2e%2e/wiring.py", "nothing.js"]
)
def test_nothing_but_the_files_of_the_console_is_served(service: str, name: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{service}/console/{name}", timeout=60)


@pytest.mark.parametrize("name", sorted(read_files()))
def test_a_file_makes_no_markup_from_text_and_names_no_other_host(name: str) -> None:
    text = (CONSOLE / name).read_text().replace(NAMESPACE, "")
    assert FORBIDDEN.findall(text) == []


@pytest.mark.parametrize("name", sorted(read_files()))
def test_a_file_is_no_longer_than_a_reader_likes(name: str) -> None:
    lines = (CONSOLE / name).read_text().splitlines()
    assert len(lines) <= LINES_MAX
    assert max(map(len, lines)) <= CHARACTERS_MAX


def test_every_file_of_the_console_is_served_or_is_python() -> None:
    beside = {path.name for path in CONSOLE.iterdir() if path.is_file()}
    assert {name for name in beside if not name.endswith(".py")} == set(read_files())
    assert {Path(name).suffix for name in read_files()} == set(TYPES)
