"""The catalog file is loaded as a whole, or not at all, with all that is wrong with it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.catalog import Catalog
from commands.catalog_file import FILE_BYTES_MAX, FINDINGS_SHOWN_MAX, SECTIONS, parse_catalog
from schemas.errors import Contradiction, Invalid, TooLarge

GOOD = b"""\xef\xbb\xbf{
  "titles": {"t1": {"name": "Caf\xc3\xa9", "studio_id": "s1", "window_end": "2030-01-01"}},
  "studios": {"s1": {"name": "One", "policy": "short"}},
  "plans": {"p1": {}},
  "service": {"policy": {"license.term_s": 600}},
  "policies": {"short": {"license.term_s": 60, "override": ["license.term_s"]}}
}"""

BAD = b"""{
  "policies": {
    "a": {"title.max_downloads": -1, "titel.max_plays": 3},
    "b": {"extends": "c"}
  },
  "titles": {
    "t1": {"name": "A", "studio_id": "s1"},
    "t7": {"name": "B", "studio_id": "s99",
           "window_start": "2026-02-01",
           "window_end": "2026-01-01"}
  },
  "studios": {"s1": {}},
  "studio": {}
}"""


def is_loaded_or_refused(data: bytes) -> bool:
    try:
        records = parse_catalog(data)
    except Invalid:
        return True
    except Contradiction as refusal:
        return str(refusal).startswith("The catalog has ")
    return Catalog.empty().with_entries(records, 1).version == 1


def refusal_of(data: bytes | str, error: type[Exception]) -> str:
    with pytest.raises(error) as refusal:
        parse_catalog(data.encode() if isinstance(data, str) else data)
    return str(refusal.value)


def test_a_record_comes_after_those_that_it_refers_to() -> None:
    assert [key for key, _ in parse_catalog(GOOD)] == [
        "policy/short",
        "service",
        "plan/p1",
        "studio/s1",
        "title/t1",
    ]


def test_a_record_holds_the_entry_as_the_file_says_it() -> None:
    records = dict(parse_catalog(GOOD))
    assert json.loads(records["title/t1"]) == {
        "name": "Café",
        "studio_id": "s1",
        "window_end": "2030-01-01",
    }


def test_the_records_of_a_file_make_a_catalog() -> None:
    catalog = Catalog.empty().with_entries(parse_catalog(GOOD), 5)
    assert catalog.policy("p1", "t1").license_term_s == 60
    assert catalog.policy("p1", None).license_term_s == 600
    assert set(catalog.keys()) == {key for key, _ in parse_catalog(GOOD)}


def test_an_empty_file_is_an_empty_catalog() -> None:
    assert parse_catalog(b"{}") == []


def test_every_fault_is_told_in_the_order_of_the_file_with_its_line() -> None:
    assert refusal_of(BAD, Contradiction).splitlines() == [
        "The catalog has 7 faults, nothing was changed:",
        "line 3: policies.a.title.max_downloads: must be a whole number from 0 to 1000000, or "
        "null for no limit, not -1",
        "line 3: policies.a.titel.max_plays: no such policy key, did you mean "
        "'title.max_plays'; correct or remove it",
        "line 4: policies.b.extends: no policy 'c' in the catalog; add it under policies or "
        "correct it",
        "line 8: titles.t7.studio_id: no studio 's99' in the catalog; add it under studios or "
        "correct the id",
        "line 10: titles.t7.window_end: '2026-01-01' is not after window_start '2026-02-01'; "
        "correct one of them",
        "line 12: studios.s1: name is missing; add it",
        "line 13: studio: no such section, did you mean 'studios'; there are policies, "
        "service, plans, studios, titles",
    ]


def test_what_is_wrong_in_one_entry_is_not_blamed_on_those_that_refer_to_it() -> None:
    data = '{"studios": {"s1": 7}, "titles": {"t1": {"name": "A", "studio_id": "s1"}}}'
    assert refusal_of(data, Contradiction).splitlines() == [
        "The catalog has 1 fault, nothing was changed:",
        "line 1: studios.s1: must be an object, not 7; write it as one",
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "line 1, column 1: not JSON: Expecting value. Correct the file there."),
        ('{\n  "titles": {,}\n}', "line 2, column 14: not JSON: Expecting property name"),
        ('{"a": 1} x', "line 1, column 10: not JSON: Extra data"),
        ("[]", "The file must hold one object, not a list."),
        ("null", "The file must hold one object, not null."),
        ('{"a": NaN}', "NaN is not JSON. Write a whole number, or null for no limit."),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ('{"a": ' + "9" * 5_000 + "}", "A number has too many digits"),
        ("[" * 100_000, "Objects are nested too deeply"),
        (b'{"a": "\xff"}', "Byte 7 is not UTF-8. Save the file as UTF-8."),
        (b"\x00\x01", "not JSON"),
    ],
)
def test_what_is_no_json_object_is_refused(data: bytes | str, reason: str) -> None:
    assert reason in refusal_of(data, Invalid)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ('{"titles": []}', "line 1: titles: must be an object of id to entry, not a list"),
        ('{"titles": null}', "line 1: titles: must be an object of id to entry, not null"),
        ('{"service": null}', "line 1: service: must be an object, not null; write it as one"),
        (
            '{"plans": {\n"p1": {},\n"p1": {}}}',
            "line 3: plans.p1: is there more than once; keep one of them",
        ),
        (
            '{"plans": {"p1": {"policy": {"license.term_s": 5,\n"license.term_s": 6}}}}',
            "line 2: plans.p1.policy.license.term_s: is there more than once; keep one of them",
        ),
        ('{"plans": {},\n"plans": {}}', "line 2: plans: is there more than once"),
        ('{"plans": {"": {}}}', "line 1: plans.'': must be a text of 1 to 128 printable"),
        (
            '{"plans": {"' + "x" * 10_000 + '": {}}}',
            f"line 1: plans.'{'x' * 60}'…: must be a text of 1 to 128 printable characters, "
            f"not '{'x' * 60}'…",
        ),
        ('{"plans": {"\\ud800": {}}}', "plans.'\\ud800': must be a text of 1 to 128 printable"),
        (
            '{"plans": {"p1": {"policy": {"license.term_s": 1' + "0" * 40 + "}}}}",
            "must be a whole number from 1 to 315360000 seconds, not 1000000",
        ),
        (
            '{"service": {"policy": {"clock.max_skew_s": 86401}}}',
            "must be a whole number from 0 to 86400 seconds, not 86401",
        ),
    ],
)
def test_one_fault_in_a_file(data: str, reason: str) -> None:
    refusal = refusal_of(data, Contradiction)
    assert refusal.startswith("The catalog has 1 fault, nothing was changed:\nline ")
    assert reason in refusal


def test_of_very_many_faults_the_first_are_shown_and_the_others_counted() -> None:
    titles = {f"t{n}": {"name": "A", "studio_id": "s9"} for n in range(FINDINGS_SHOWN_MAX + 7)}
    lines = refusal_of(json.dumps({"titles": titles}), Contradiction).splitlines()
    assert len(lines) == FINDINGS_SHOWN_MAX + 2
    assert (lines[0], lines[-1]) == (
        "The catalog has 57 faults, nothing was changed:",
        "and 7 more",
    )


def test_a_file_over_the_bound_is_refused() -> None:
    assert "at most 67108864" in refusal_of(b" " * (FILE_BYTES_MAX + 1), TooLarge)


sections = st.sampled_from([*SECTIONS, "x"])
inner: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda deeper: (
        st.lists(deeper, max_size=2) | st.dictionaries(st.text(max_size=5), deeper, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(sections, inner))
def test_whatever_the_object_is_it_is_loaded_or_refused(root: Any) -> None:
    assert is_loaded_or_refused(json.dumps(root).encode())


@given(st.binary(max_size=40))
def test_whatever_the_bytes_are_they_are_loaded_or_refused(data: bytes) -> None:
    assert is_loaded_or_refused(data)
