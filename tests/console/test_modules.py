"""The console's modules by themselves, in the browser that will run them."""

from typing import Any

import pytest

from tests.kit.console import Watched

pytestmark = [pytest.mark.engines, pytest.mark.timeout(400)]


def run(console: Watched, name: str, script: str, argument: Any = None) -> Any:
    """What a script makes of a module."""
    page = console.open("#/")
    return page.evaluate(
        "async ([name, script, argument]) => {"
        " const made = await import(new URL(name, document.baseURI));"
        f" return ({script})(made, argument); }}",
        [name, script, argument],
    )


def test_a_stream_is_parsed_however_it_is_cut(console: Watched) -> None:
    stream = (
        ": hello\nretry: 2000\n\nid: 7\r\nevent: change\r\ndata: one\r\ndata:two\r\n\r\n"
        "data: three\n\nevent: end\ndata: {}\n\nid: 9\ndata: never finished"
    )
    script = """(made, text) => [1, 2, 3, 7, 1000].map((size) => {
        const parser = new made.EventParser();
        const events = [];
        for (let at = 0; at < text.length; at += size) {
            events.push(...parser.push(text.slice(at, at + size)));
        }
        return JSON.stringify(events);
    })"""
    found = run(console, "sse.js", script, stream)
    assert set(found) == {
        '[{"id":"7","type":"change","data":"one\\ntwo"},'
        '{"id":"7","type":"message","data":"three"},'
        '{"id":"7","type":"end","data":"{}"}]'
    }


@pytest.mark.parametrize(
    ("hash_", "wanted"),
    [
        ("", {"page": "home", "query": {}}),
        ("#/pipeline", {"page": "pipeline", "query": {}}),
        ("#/no/such/page", {"page": "home", "query": {}}),
        (
            "#/accounts/a%2Fb/check?device=d1",
            {
                "page": "account",
                "accountId": "a/b",
                "section": "check",
                "query": {"device": "d1"},
            },
        ),
        (
            "#/accounts/100%/nonsense",
            {"page": "account", "accountId": "100%", "section": "timeline", "query": {}},
        ),
    ],
)
def test_an_address_leads_somewhere(console: Watched, hash_: str, wanted: Any) -> None:
    assert run(console, "route.js", "(made, hash) => made.parse(hash)", hash_) == wanted


def test_an_address_leads_back_to_the_account_it_was_made_of(console: Watched) -> None:
    script = "(made, id) => made.parse(made.toAccount(id, 'devices')).accountId"
    nasty = "a/b?c#d%20é&<x>"
    assert run(console, "route.js", script, nasty) == nasty


def test_lengths_of_time_are_told_in_their_two_largest_units(console: Watched) -> None:
    seconds = [0.04, 3.26, 59.6, 3_599, 3_600, 90_061, 31_536_000]
    found = run(console, "words.js", "(made, all) => all.map(made.duration)", seconds)
    wanted = ["0 s", "3.3 s", "1 min", "59 min 59 s", "1 h", "1 d 1 h", "365 d"]
    assert found == wanted


def test_what_a_plot_remembers_is_bounded_in_time_and_number(console: Watched) -> None:
    script = """(made) => {
        const samples = new made.Samples();
        for (let n = 0; n < 1000; n += 1) samples.add("many", n, n);
        for (let n = 0; n < 5000; n += 1) samples.add(`series ${n}`, 0, n);
        samples.add("old", 0, 1);
        samples.add("many", made.SPAN_MS + 999, 1);
        return [samples.of("many").length, samples.series.size, samples.of("old").length];
    }"""
    assert run(console, "samples.js", script) == [2, 2_000, 0]


def test_redrawing_keeps_what_stays_and_finds_rows_by_their_key(console: Watched) -> None:
    script = """(made) => {
        const { h, show } = made;
        const host = document.createElement("ol");
        const row = (key, text) => h("li", { "data-key": key }, text);
        show(host, row("a", "1"), row("b", "2"));
        const kept = host.children[1];
        show(host, row("new", "0"), row("b", "two"), "and text");
        return [host.children[1] === kept, host.innerHTML];
    }"""
    kept, markup = run(console, "dom.js", script)
    assert kept
    assert markup == '<li data-key="new">0</li><li data-key="b">two</li>and text'
