"""Entries are read from JSON, and everything wrong with one is found at once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.catalog_entries import KINDS, Plan, Service, Studio, Title
from commands.catalog_reading import Finding, read_change, read_entry
from commands.policy import Said
from schemas.errors import Invalid

GOOD = {"name": "A title", "studio_id": "s1"}


def found(kind: str, body: object) -> list[str]:
    findings: list[Finding] = []
    read_entry(kind, "x1", body, ("x1",), findings)
    return [str(finding) for finding in findings]


def read(kind: str, body: object) -> Any:
    findings: list[Finding] = []
    entry = read_entry(kind, "x1", body, ("x1",), findings)
    assert findings == []
    return entry


def test_the_smallest_entries() -> None:
    assert read("title", GOOD) == Title(title_id="x1", name="A title", studio_id="s1")
    assert read("studio", {"name": "One"}) == Studio(studio_id="x1", name="One")
    assert read("plan", {}) == Plan(plan_id="x1")
    assert read("service", {}) == Service()
    assert read("policy", {}) == Said()


def test_null_is_the_same_as_leaving_it_out() -> None:
    nothing = dict.fromkeys(("countries", "window_start", "window_end", "policy"))
    assert read("title", {**GOOD, **nothing}) == read("title", GOOD)


@pytest.mark.parametrize(
    ("said", "instant"),
    [
        (0, 0),
        (1_767_225_600_000, 1_767_225_600_000),
        ("2026-01-01", 1_767_225_600_000),
        ("2026-01-01T00:00:00Z", 1_767_225_600_000),
        ("2026-01-01T01:00:00+01:00", 1_767_225_600_000),
        ("2026-01-01T00:00:00.25Z", 1_767_225_600_250),
    ],
)
def test_an_instant_is_milliseconds_or_iso_8601(said: object, instant: int) -> None:
    assert read("title", {**GOOD, "window_end": said}).window_end == instant


def test_a_policy_is_a_name_or_written_out() -> None:
    words = {"license.term_s": 60, "studio.max_active": None, "extends": "base"}
    assert read("studio", {"name": "One", "policy": "strict"}).policy == "strict"
    assert read("studio", {"name": "One", "policy": words}).policy == Said(
        {"license.term_s": 60, "studio.max_active": None}, extends="base"
    )


def test_a_policy_lists_what_it_overrides() -> None:
    words = {"license.term_s": 60, "override": ["license.term_s"]}
    assert read("policy", words) == Said({"license.term_s": 60}, frozenset({"license.term_s"}))


@pytest.mark.parametrize(
    ("kind", "body", "finding"),
    [
        ("title", [], "x1: must be an object, not a list"),
        ("title", {"name": "A"}, "x1: studio_id is missing; add it"),
        ("studio", {}, "x1: name is missing; add it"),
        ("title", {**GOOD, "name": ""}, "x1.name: must be a text of 1 to 128 printable"),
        ("title", {**GOOD, "name": "a\nb"}, "printable characters, not 'a\\nb'"),
        ("title", {**GOOD, "name": "x" * 10_000}, f"not '{'x' * 60}'…"),
        ("title", {**GOOD, "name": None}, "x1.name: must be a text of 1 to 128 printable"),
        (
            "title",
            {**GOOD, "downloadable": "yes"},
            "x1.downloadable: must be true or false, not 'yes'",
        ),
        ("title", {**GOOD, "downloadable": None}, "must be true or false, not null"),
        (
            "plan",
            {"downloads_enabled": 1},
            "x1.downloads_enabled: must be true or false, not 1",
        ),
        ("title", {**GOOD, "countries": "DE"}, "must be a list of countries, not 'DE'"),
        ("title", {**GOOD, "countries": []}, "an empty list is nowhere; leave it out for"),
        (
            "title",
            {**GOOD, "countries": ["de"]},
            "x1.countries: must be two capital letters (ISO 3166-1), such as 'DE', not 'de'",
        ),
        ("title", {**GOOD, "countries": [7]}, "such as 'DE', not 7"),
        ("title", {**GOOD, "countries": ["DE"] * 301}, "lists 301 countries, at most 300"),
        ("title", {**GOOD, "window_start": -1}, "x1.window_start: must be an ISO date or"),
        ("title", {**GOOD, "window_start": True}, "or whole milliseconds since 1970, not true"),
        ("title", {**GOOD, "window_end": "soon"}, "from 1970 to 2100, or whole milliseconds"),
        ("title", {**GOOD, "window_end": "9999-12-31"}, "from 1970 to 2100"),
        (
            "title",
            {**GOOD, "window_end": "2026-01-01T00:00"},
            "x1.window_end: '2026-01-01T00:00' has no time zone; end it with Z",
        ),
        (
            "title",
            {**GOOD, "window_start": "2026-02-01", "window_end": "2026-01-01"},
            "x1.window_end: '2026-01-01' is not after window_start '2026-02-01'; correct one",
        ),
        (
            "title",
            {**GOOD, "window_start": 5, "window_end": 5},
            "5 is not after window_start 5",
        ),
        (
            "title",
            {**GOOD, "studio": "s1"},
            "x1.studio: a title has no such field, did you mean 'studio_id'; correct or remove",
        ),
        (
            "title",
            {**GOOD, "license.term_s": 5},
            "x1.license.term_s: is a policy key; write it inside policy",
        ),
        (
            "title",
            {**GOOD, "policy": 3},
            "x1.policy: must be an object of policy keys, or a po",
        ),
        (
            "policy",
            {"title.max_download": 3},
            "x1.title.max_download: no such policy key, did you mean 'title.max_downloads'",
        ),
        ("policy", {"max_downloads": 3}, "did you mean 'title.max_downloads'"),
        ("policy", {"zzz": 3}, "x1.zzz: no such policy key; correct or remove it"),
        (
            "policy",
            {"title.max_downloads": -3},
            "x1.title.max_downloads: must be a whole number",
        ),
        (
            "policy",
            {"title.max_downloads_window_s": 63_072_001},
            "must be a whole number from 1 to 63072000 seconds, not 63072001",
        ),
        (
            "policy",
            {"title.countries": ["DE"]},
            "x1.title.countries: is no policy key but the field countries of a title; write it",
        ),
        ("policy", {"plan.downloads_enabled": False}, "the field downloads_enabled of a plan"),
        ("policy", {"extends": 3}, "x1.extends: must be a text of 1 to 128 printable"),
        (
            "policy",
            {"override": "license.term_s"},
            "x1.override: must be a list of policy keys",
        ),
        ("policy", {"override": [3]}, "x1.override: must be a list of policy keys"),
        ("policy", {"override": ["x"] * 99}, "x1.override: lists 99 keys, there are only"),
        (
            "policy",
            {"override": ["license.term"]},
            "x1.override: 'license.term' no such policy key, did you mean 'license.term_s'",
        ),
        (
            "policy",
            {"override": ["title.max_plays_window_s"]},
            "'title.max_plays_window_s' goes with its count; list 'title.max_plays' instead",
        ),
        (
            "policy",
            {"override": ["title.count_at"]},
            "'title.count_at' is decided by the most specific scope anyway; remove it",
        ),
    ],
)
def test_one_thing_wrong_is_one_finding(kind: str, body: object, finding: str) -> None:
    findings = found(kind, body)
    assert len(findings) == 1
    assert finding in findings[0]


def test_everything_wrong_with_an_entry_is_found_at_once() -> None:
    body = {"name": 3, "downloadable": 3, "polcy": 3, "policy": {"a": 1, "license.term_s": 0}}
    paths = [finding.partition(":")[0] for finding in found("title", body)]
    assert paths == [
        "x1",
        "x1.name",
        "x1.downloadable",
        "x1.polcy",
        "x1.policy.a",
        "x1.policy.license.term_s",
    ]


def test_a_path_that_cannot_be_printed_is_quoted() -> None:
    assert str(Finding(("titles", "a\nb", "\ud800"), "is wrong")) == (
        "titles.'a\\nb'.'\\ud800': is wrong"
    )


def test_a_record_is_an_entry_or_its_removal() -> None:
    assert read_change("studio/s1", b'{"name": "One"}') == Studio(studio_id="s1", name="One")
    assert read_change("service", b"{}") == Service()
    assert read_change("studio/s1", None) is None


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("", b"{}", "'': no such kind of entry. Use a key such as 'title/t1'."),
        ("movie/t1", b"{}", "'movie/t1': no such kind of entry"),
        ("title", None, "'title': no such kind of entry"),
        ("service/x", b"{}", "'service/x': no such kind of entry"),
        ("title/", None, "title/: must be a text of 1 to 128 printable characters, not ''"),
        ("title/" + "x" * 10_000, None, "must be a text of 1 to 128 printable characters"),
        ("title/t1", b"", "'title/t1': not JSON: Input data was truncated"),
        ("title/t1", b"{", "'title/t1': not JSON"),
        ("title/t1", b"\xff\xfe", "'title/t1': not JSON"),
        ("title/t1", b'{"name": "\xff"}', "'title/t1': not JSON"),
        ("title/t1", b"[" * 100_000, "'title/t1': not JSON"),
        (
            "title/t1",
            b"[]",
            "title/t1: must be an object, not a list; write it as one",
        ),
        (
            "policy/p",
            b'{"license.term_s": -1, "x": 2}',
            "seconds, not -1; policy/p.x: no such policy key",
        ),
    ],
)
def test_a_bad_record_is_refused_with_its_reasons(
    key: str, value: bytes | None, reason: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        read_change(key, value)
    assert reason in str(refusal.value)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)
a_field = st.sampled_from(
    ["name", "studio_id", "countries", "window_end", "policy", "override", "extends", "x"]
)


@given(st.sampled_from(KINDS), st.dictionaries(a_field, anything) | anything)
def test_whatever_the_body_is_it_is_read_or_refused(kind: str, body: object) -> None:
    findings = found(kind, body)
    assert all(finding.startswith("x1") for finding in findings)
    assert json.dumps(findings)
