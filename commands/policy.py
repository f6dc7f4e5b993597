"""A policy: every limit and duration of one decision, resolved from the catalog's scopes.

Keys, defaults and how scopes are combined are said once, in commands/policy_keys.py. `None` is
no limit.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from commands.policy_keys import DAY_S, HISTORY_KEPT_S, KEYS, Key, Scope, Value

__all__ = [
    "DAY_S",
    "HISTORY_KEPT_S",
    "Bound",
    "Policy",
    "Said",
    "Scope",
    "Statements",
    "WindowBound",
    "resolve",
]


class Bound(Struct, frozen=True, gc=False):
    """A limit and whose it is, so that a refusal can say so."""

    value: int
    scope: Scope


class WindowBound(Struct, frozen=True, gc=False):
    """At most `count` in any `window_s` seconds (rolling). A scope's pair stays together."""

    count: int
    window_s: int
    scope: Scope


class Policy(Struct, frozen=True):
    """What holds for one title on one plan (or, without a title, for the plan alone)."""

    plan_downloads_enabled: bool = True  # R02
    title_downloadable: bool = True  # R03
    title_window_start: int | None = None  # R04, an instant in ms
    title_window_end: int | None = None
    title_countries: frozenset[str] | None = None  # R05; None: all
    min_security_level: int = 3  # R06; 1 is the strongest
    plan_max_download_devices: Bound | None = None  # R07
    device_max_adds: tuple[WindowBound, ...] = ()  # R08
    device_max_removals: tuple[WindowBound, ...] = ()
    device_max_active: Bound | None = Bound(100, "service")  # R09
    account_max_active: Bound | None = None  # R10
    studio_max_active: Bound | None = None  # R11
    title_max_concurrent_devices: Bound | None = None  # R12
    plan_max_downloads_device_month: Bound | None = None  # R13
    title_max_downloads: tuple[WindowBound, ...] = ()  # R14: all of them must hold
    title_count_renewals: bool = True  # R15
    title_count_at: Literal["issued", "completed"] = "issued"  # R16
    title_refund_failed_within_s: int = DAY_S
    title_max_plays: tuple[WindowBound, ...] = ()  # R17
    license_max_renewals: Bound | None = None  # R18
    license_max_age_s: Bound | None = Bound(365 * DAY_S, "service")  # R19
    license_renew_from_s: int | None = None  # R20: no earlier than this before expiry
    license_renew_until_s: int | None = None  # no later than this after expiry
    license_term_s: int = 30 * DAY_S  # R21
    license_play_window_s: int | None = None  # R22
    account_lease_s: int | None = None  # R23
    license_slot_held_until: Literal["released", "expired"] = "expired"  # R24
    plan_downgrade_action: Literal["block_new", "revoke_newest"] = "block_new"  # R25
    clock_max_skew_s: int = 300  # R26
    playback_late_action: Literal["accept_flag", "reject"] = "accept_flag"  # R27
    release_require_proof: bool = False  # R28
    warn_expiry_s: int = 7 * DAY_S  # R29
    warn_downloads_left: int = 1


class Said(Struct, frozen=True):
    """What one policy says, be it of a scope or one with a name that scopes refer to."""

    values: Mapping[str, Value] = {}
    override: frozenset[str] = frozenset()  # keys for which less specific scopes do not count
    extends: str | None = None  # the policy that says what this one does not

    def upon(self, base: "Said") -> "Said":
        """Both as one, where this policy extends that one: its own words win."""
        return Said(
            {**base.values, **self.values}, self.override | base.override, extends=base.extends
        )


Statements = Sequence[tuple[Scope, Said]]
"""What the scopes say, each with its `extends` written out, the most specific scope first."""


def resolve(statements: Statements, **fields: Any) -> Policy:
    """The policy that follows from what the scopes say; `fields` are set as they are given.

    A key that no scope says keeps its default, which `Policy` repeats from the table.
    """
    for name in {name for _, said in statements for name in said.values}:
        key = KEYS[name]
        if key.combination != "window":
            fields[key.field] = _combined(key, _counting(key, statements))
    return Policy(**fields)


def _counting(key: Key, statements: Statements) -> list[tuple[Scope, Said]]:
    """Those that say this key and are not silenced, the default as the service's last word."""
    counting: list[tuple[Scope, Said]] = []
    for scope, said in statements:
        if key.name in said.values and scope in key.scopes:
            counting.append((scope, said))
            if scope == "service" or key.name in said.override:
                return counting
    counting.append(("service", Said({key.name: key.default})))
    return counting


def _combined(key: Key, counting: Statements) -> object:
    """The value of the field of `Policy`."""
    if key.combination == "most_specific":
        return counting[0][1].values[key.name]
    if key.combination == "pair":
        return tuple(_pairs(key, counting))
    bounds = [Bound(number, scope) for scope, number in _numbers(key, counting)]
    tightest = min(bounds, key=lambda bound: bound.value, default=None)
    if key.combination == "limit" or tightest is None:
        return tightest
    return tightest.value


def _numbers(key: Key, counting: Statements) -> list[tuple[Scope, int]]:
    """The limits that are set; null sets none."""
    said = [(scope, words.values[key.name]) for scope, words in counting]
    return [(scope, value) for scope, value in said if isinstance(value, int)]


def _pairs(key: Key, counting: Statements) -> list[WindowBound]:
    """Each scope's count with the window it said beside it, or else the window's default."""
    window = KEYS[f"{key.name}_window_s"]
    pairs = []
    for scope, words in counting:
        count = words.values[key.name]
        window_s = words.values.get(window.name, window.default)
        if isinstance(count, int) and isinstance(window_s, int):
            pairs.append(WindowBound(count, window_s, scope))
    return pairs
