"""Whatever the scopes say, a policy is never looser than one that was not overridden."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from commands.policy import Said, Scope, resolve
from commands.policy_keys import ANY, DAY_S

DOWNLOADS, WINDOW_S = "title.max_downloads", "title.max_downloads_window_s"
YEAR_S = 365 * DAY_S

scope_words = st.dictionaries(
    st.sampled_from([DOWNLOADS, WINDOW_S, "device.max_active", "license.play_window_s"]),
    st.one_of(st.none(), st.integers(1, 200)),
)
override_words = st.sets(st.sampled_from([DOWNLOADS, "device.max_active"]))


def statements_of(words: Any, overrides: Any) -> list[tuple[Scope, Said]]:
    window_s = {WINDOW_S: 60}
    return [
        (scope, Said({**w, **(window_s if w.get(WINDOW_S, 0) is None else {})}, frozenset(o)))
        for scope, w, o in zip(ANY, words, overrides, strict=True)
    ]


def heard(statements: list[tuple[Scope, Said]], name: str) -> list[Said]:
    """The scopes down to the first that overrides the key, read straight from the rule."""
    stop = [i for i, (_, s) in enumerate(statements) if name in s.override and name in s.values]
    return [said for _, said in statements[: min(stop, default=len(statements)) + 1]]


@given(st.tuples(*[scope_words] * 4), st.tuples(*[override_words] * 4))
def test_no_policy_is_looser_than_a_scope_that_was_not_overridden(
    words: Any, overrides: Any
) -> None:
    statements = statements_of(words, overrides)
    policy = resolve(statements)
    limits = [s.values.get("device.max_active") for s in heard(statements, "device.max_active")]
    actives = [limit for limit in limits if isinstance(limit, int)]
    loosest = 10**9
    resolved_active = policy.device_max_active.value if policy.device_max_active else loosest
    assert all(resolved_active <= limit for limit in actives)
    pairs = {
        (s.values[DOWNLOADS], s.values.get(WINDOW_S, YEAR_S))
        for s in heard(statements, DOWNLOADS)
        if s.values.get(DOWNLOADS) is not None
    }
    assert {(b.count, b.window_s) for b in policy.title_max_downloads} == pairs


@given(st.tuples(*[scope_words] * 4), st.sampled_from(range(3)), st.integers(1, 200))
def test_a_limit_said_without_override_never_loosens(words: Any, at: int, limit: int) -> None:
    statements = statements_of(words, [()] * 4)
    scope, said = statements[at]
    unsaid = {name: v for name, v in said.values.items() if name != "device.max_active"}
    without = [*statements[:at], (scope, Said(unsaid)), *statements[at + 1 :]]
    added = Said({**unsaid, "device.max_active": limit})
    with_it = [*statements[:at], (scope, added), *statements[at + 1 :]]
    before, after = resolve(without).device_max_active, resolve(with_it).device_max_active
    assert after is not None
    assert after.value <= (before.value if before else after.value)
