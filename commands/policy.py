"""A policy: every limit and duration of one decision, resolved from the catalog's scopes.

Keys, defaults and rule numbers are the ones of the rule table in README.md. `None` is no limit.
"""

from typing import Literal

from msgspec import Struct

DAY_S = 86_400
Scope = Literal["title", "studio", "plan", "service"]


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
