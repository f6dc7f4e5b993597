"""How the words of title, studio, plan and service become one policy."""

from typing import Any

import pytest

from commands.policy import Bound, Policy, Said, Scope, WindowBound, resolve
from commands.policy_keys import ANY, DAY_S, KEYS, TABLE, Key, Value

DOWNLOADS = "title.max_downloads"
YEAR_S = 365 * DAY_S

LIMITS = [key for key in TABLE if key.combination == "limit"]
SMALLEST = [key for key in TABLE if key.combination == "smallest"]
PAIRS = [key for key in TABLE if key.combination == "pair"]
FIRST = [key for key in TABLE if key.combination == "most_specific" and len(key.scopes) > 1]


def name_of(key: Key) -> str:
    return key.name


def resolved(key: Key, **said: Value) -> Any:
    """What the policy holds where each scope says this one key."""
    statements = [(scope, Said({key.name: said[scope]})) for scope in ANY if scope in said]
    return getattr(resolve(statements), key.field)


def saying(scope: Scope, override: tuple[str, ...] = (), **values: Value) -> tuple[Scope, Said]:
    """A statement; `license__term_s` is spelled `license.term_s`."""
    spelled = {name.replace("__", "."): value for name, value in values.items()}
    return scope, Said(spelled, frozenset(override))


def another(key: Key) -> Value:
    """A value that is not the default."""
    return key.choices[1] if key.choices else not key.default if key.most is None else 5


def test_where_nobody_says_anything_the_defaults_hold() -> None:
    assert resolve([]) == Policy()


def test_fields_are_taken_as_they_are_given() -> None:
    assert resolve([], title_window_end=9) == Policy(title_window_end=9)


@pytest.mark.parametrize("key", LIMITS, ids=name_of)
def test_of_limits_the_smallest_counts_and_is_named(key: Key) -> None:
    assert resolved(key, plan=4, service=7) == Bound(4, "plan")
    assert resolved(key, plan=7, service=4) == Bound(4, "service")


@pytest.mark.parametrize("key", LIMITS, ids=name_of)
def test_of_equal_limits_the_more_specific_scope_is_named(key: Key) -> None:
    assert resolved(key, plan=4, service=4) == Bound(4, "plan")


@pytest.mark.parametrize("key", LIMITS, ids=name_of)
def test_null_sets_no_limit_and_lifts_none(key: Key) -> None:
    assert resolved(key, plan=None, service=4) == Bound(4, "service")
    assert resolved(key, plan=None, service=None) is None


@pytest.mark.parametrize("key", SMALLEST, ids=name_of)
def test_of_durations_and_levels_the_smallest_counts(key: Key) -> None:
    assert resolved(key, plan=1, service=2) == 1
    assert resolved(key, plan=2, service=1) == 1


@pytest.mark.parametrize("key", [key for key in SMALLEST if key.nullable], ids=name_of)
def test_a_duration_may_be_unlimited(key: Key) -> None:
    assert resolved(key, plan=None, service=2) == 2
    assert resolved(key, plan=None, service=None) is None


def test_every_scope_counts_for_a_limit() -> None:
    key = KEYS["studio.max_active"]
    assert resolved(key, title=1, studio=2, plan=3, service=4) == Bound(1, "title")
    assert resolved(key, title=4, studio=1, plan=3, service=2) == Bound(1, "studio")
    assert resolved(key, title=4, studio=3, plan=1, service=2) == Bound(1, "plan")
    assert resolved(key, title=4, studio=3, plan=2, service=1) == Bound(1, "service")


def test_a_default_counts_where_the_service_says_nothing() -> None:
    assert resolved(KEYS["device.max_active"], plan=200) == Bound(100, "service")
    assert resolved(KEYS["device.max_active"], plan=50) == Bound(50, "plan")
    assert resolved(KEYS["license.term_s"], title=60 * DAY_S) == 30 * DAY_S


def test_the_service_can_change_or_lift_a_default() -> None:
    assert resolved(KEYS["device.max_active"], service=200) == Bound(200, "service")
    assert resolved(KEYS["device.max_active"], service=None) is None
    assert resolved(KEYS["license.max_age_s"], service=None) is None
    assert resolved(KEYS["license.term_s"], title=60 * DAY_S, service=90 * DAY_S) == 60 * DAY_S


@pytest.mark.parametrize("key", PAIRS, ids=name_of)
def test_every_scope_has_a_window_limit_of_its_own(key: Key) -> None:
    window = f"{key.name}_window_s"
    policy = resolve(
        [
            ("plan", Said({key.name: 9, window: 60})),
            ("service", Said({key.name: 3, window: 3_600})),
        ]
    )
    expected = (WindowBound(9, 60, "plan"), WindowBound(3, 3_600, "service"))
    assert getattr(policy, key.field) == expected


@pytest.mark.parametrize("key", PAIRS, ids=name_of)
def test_a_count_without_a_window_has_the_default_window_not_anothers(key: Key) -> None:
    window = KEYS[f"{key.name}_window_s"]
    policy = resolve(
        [("plan", Said({key.name: 9})), ("service", Said({key.name: 3, window.name: 3_600}))]
    )
    assert isinstance(window.default, int)
    assert getattr(policy, key.field) == (
        WindowBound(9, window.default, "plan"),
        WindowBound(3, 3_600, "service"),
    )


def test_a_window_alone_sets_no_limit() -> None:
    assert resolve([saying("service", title__max_downloads_window_s=60)]) == Policy()


def test_a_count_of_null_sets_no_limit_whatever_its_window() -> None:
    policy = resolve(
        [
            saying("title", title__max_downloads=None, title__max_downloads_window_s=60),
            saying("studio", title__max_downloads=3),
        ]
    )
    assert policy.title_max_downloads == (WindowBound(3, YEAR_S, "studio"),)


def test_an_override_of_a_pair_silences_the_pairs_of_less_specific_scopes() -> None:
    policy = resolve(
        [
            saying("title", title__max_downloads=9),
            saying("studio", (DOWNLOADS,), title__max_downloads=5),
            saying("plan", title__max_downloads=1),
            saying("service", title__max_downloads=2),
        ]
    )
    assert policy.title_max_downloads == (
        WindowBound(9, YEAR_S, "title"),
        WindowBound(5, YEAR_S, "studio"),
    )


def test_an_override_of_null_lifts_the_pair() -> None:
    policy = resolve(
        [
            saying("title", (DOWNLOADS,), title__max_downloads=None),
            saying("studio", title__max_downloads=3),
        ]
    )
    assert policy.title_max_downloads == ()


@pytest.mark.parametrize("key", LIMITS, ids=name_of)
def test_an_override_silences_less_specific_scopes_and_the_default(key: Key) -> None:
    override = frozenset({key.name})
    policy = resolve([("plan", Said({key.name: 500}, override)), ("service", Said())])
    assert getattr(policy, key.field) == Bound(500, "plan")


@pytest.mark.parametrize("key", LIMITS, ids=name_of)
def test_an_override_of_null_lifts_the_limit(key: Key) -> None:
    override = frozenset({key.name})
    policy = resolve(
        [("plan", Said({key.name: None}, override)), ("service", Said({key.name: 4}))]
    )
    assert getattr(policy, key.field) is None


def test_an_override_does_not_silence_more_specific_scopes() -> None:
    policy = resolve(
        [
            saying("title", studio__max_active=4),
            saying("studio", ("studio.max_active",), studio__max_active=9),
            saying("service", studio__max_active=1),
        ]
    )
    assert policy.studio_max_active == Bound(4, "title")


def test_an_override_is_of_one_key_only() -> None:
    policy = resolve(
        [
            saying("title", ("license.term_s",), license__term_s=90, studio__max_active=9),
            saying("service", license__term_s=30, studio__max_active=1),
        ]
    )
    assert (policy.license_term_s, policy.studio_max_active) == (90, Bound(1, "service"))


def test_an_override_of_what_is_not_said_has_no_effect() -> None:
    policy = resolve(
        [saying("title", ("license.term_s",)), saying("service", license__term_s=9)]
    )
    assert policy.license_term_s == 9


@pytest.mark.parametrize("key", FIRST, ids=name_of)
def test_words_and_flags_are_those_of_the_most_specific_scope(key: Key) -> None:
    assert resolved(key, plan=another(key), service=key.default) == another(key)
    assert resolved(key, plan=key.default, service=another(key)) == key.default
    assert resolved(key, service=another(key)) == another(key)


def test_a_title_goes_before_a_studio_and_a_studio_before_a_plan() -> None:
    key = KEYS["release.require_proof"]
    assert resolved(key, title=False, studio=True, plan=True, service=True) is False
    assert resolved(key, studio=False, plan=True, service=True) is False


@pytest.mark.parametrize(
    "name", ["clock.max_skew_s", "account.lease_s", "plan.max_download_devices"]
)
def test_a_scope_that_may_not_say_a_key_is_not_heard(name: str) -> None:
    assert resolved(KEYS[name], title=1, studio=2) == resolved(KEYS[name])


def test_the_clock_tolerance_is_the_services() -> None:
    assert resolved(KEYS["clock.max_skew_s"], plan=9, service=60) == 60


def test_a_policy_upon_another_says_both_its_own_words_winning() -> None:
    base = Said({"a": 1, "b": 2}, frozenset({"b"}), extends="root")
    assert Said({"a": 3, "c": None}, frozenset({"c"}), extends="base").upon(base) == Said(
        {"a": 3, "b": 2, "c": None}, frozenset({"b", "c"}), extends="root"
    )
