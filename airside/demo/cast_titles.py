"""The titles and plans that the cast needs, found by what they are and not by their ids."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from commands.catalog import Catalog
from commands.policy import Policy
from schemas.errors import NotFound

PLAN_ID = "premium"  # on which titles are looked at
COUNTRY = "US"  # where the cast lives

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CastTitles:
    """Titles (ids) of every kind that a script asks for, and plans (ids) where it matters."""

    open: tuple[str, ...]  # without limits of their own
    standard: tuple[str, ...]  # with a play window
    strict: str  # few downloads a year, on one device, with few renewals
    one_studio: tuple[str, ...]  # more than may be active at once
    secure: str  # for the strongest hardware
    proved: str  # a deletion has to be proved
    few_plays: str
    renewed_late: str  # but not too late
    renewed_early: str  # but not too early
    regional: str  # not in COUNTRY, but …
    region: str  # … in this one
    withdrawn: str
    streamed: str  # only
    plan_of_streaming: str  # without downloads
    plan_of_one_device: str
    plan_of_few_licenses: str
    plan_of_few_new_devices: str
    plan_of_few_a_month: str
    plan_with_lease: str


def find_titles(catalog: Catalog, at: int) -> CastTitles:
    """What holds at `at` (ms). Raises: NotFound, which says what the catalog lacks."""
    look = _Look(catalog, at)
    regional = look.title("not shown in " + COUNTRY, _is_regional)
    return CastTitles(
        open=look.titles("that is open", _is_open),
        standard=look.titles("with a play window", _is_standard),
        strict=look.titles("that is strict", _is_strict)[0],
        one_studio=look.one_studio(),
        secure=look.title("for strong hardware", lambda p: p.min_security_level == 1),
        proved=look.title("with proved deletions", _is_proved),
        few_plays=look.title("with few plays", lambda p: bool(p.title_max_plays)),
        renewed_late=look.title("with a last renewal", _is_renewed_late),
        renewed_early=look.title("with a first renewal", _is_renewed_early),
        regional=regional,
        region=min(catalog.titles[regional].countries or ()),
        withdrawn=look.title("that was withdrawn", lambda p: _is_over(p, at)),
        streamed=look.title("that is only streamed", lambda p: not p.title_downloadable),
        plan_of_streaming=look.plan("no downloads", lambda p: not p.plan_downloads_enabled),
        plan_of_one_device=look.plan("one device", _has_one_device),
        plan_of_few_licenses=look.plan("few licenses", lambda p: bool(p.account_max_active)),
        plan_of_few_new_devices=look.plan("few devices", lambda p: bool(p.device_max_adds)),
        plan_of_few_a_month=look.plan(
            "few downloads a month", lambda p: bool(p.plan_max_downloads_device_month)
        ),
        plan_with_lease=look.plan("a lease", lambda p: p.account_lease_s is not None),
    )


class _Look:
    """A look through the catalog, every title and plan with its policy."""

    def __init__(self, catalog: Catalog, at: int) -> None:
        self._at = at
        self._titles = [
            (title, catalog.policy(PLAN_ID, title.title_id))
            for title in catalog.titles.values()
        ]
        self._plans = {plan_id: catalog.policy(plan_id, None) for plan_id in catalog.plans}

    def title(self, what: str, wanted: Callable[[Policy], bool]) -> str:
        """The first title of a kind."""
        return _first(
            f"title {what}", (t.title_id for t, policy in self._titles if wanted(policy))
        )

    def titles(self, what: str, wanted: Callable[[Policy], bool]) -> tuple[str, ...]:
        """All titles of a kind that are for everybody."""
        found = tuple(
            title.title_id
            for title, policy in self._titles
            if _is_for_everybody(policy, self._at) and wanted(policy)
        )
        _first(f"title {what}, for everybody", found)
        return found

    def one_studio(self) -> tuple[str, ...]:
        """The titles of a studio that has more of them than it lets an account hold."""
        studios: dict[str, list[str]] = defaultdict(list)
        limits: dict[str, int] = {}
        for title, policy in self._titles:
            if policy.studio_max_active is not None and _is_shown(policy, self._at):
                studios[title.studio_id].append(title.title_id)
                limits[title.studio_id] = policy.studio_max_active.value
        crowded = (tuple(ids) for studio, ids in studios.items() if len(ids) > limits[studio])
        return _first("studio with more titles than may be active", crowded)

    def plan(self, what: str, wanted: Callable[[Policy], bool]) -> str:
        """The first plan of a kind."""
        return _first(f"plan with {what}", (id for id, p in self._plans.items() if wanted(p)))


def _is_shown(policy: Policy, at: int) -> bool:
    """In COUNTRY, today, to those with good hardware."""
    starts_at, ends_at = policy.title_window_start or at, policy.title_window_end
    is_on = starts_at <= at and (ends_at is None or ends_at > at)
    return policy.title_downloadable and is_on and not _is_regional(policy)


def _is_for_everybody(policy: Policy, at: int) -> bool:
    """Wherever, for as long as the demo runs, on whatever device, renewed at whatever time."""
    return (
        _is_shown(policy, at)
        and policy.title_countries is None
        and policy.title_window_end is None
        and policy.min_security_level == 3
        and not _is_renewed_early(policy)
        and not _is_renewed_late(policy)
    )


def _is_open(policy: Policy) -> bool:
    limits = (policy.studio_max_active, policy.title_max_concurrent_devices)
    counts = policy.title_max_downloads + policy.title_max_plays
    return limits == (None, None) and not counts and policy.license_play_window_s is None


def _is_standard(policy: Policy) -> bool:
    return policy.license_play_window_s is not None and not _is_strict(policy)


def _is_strict(policy: Policy) -> bool:
    devices = policy.title_max_concurrent_devices
    limits = policy.title_max_downloads and policy.license_max_renewals
    return bool(limits) and devices is not None and devices.value == 1


def _is_proved(policy: Policy) -> bool:
    is_anywhere = policy.title_countries is None and policy.title_window_end is None
    return policy.release_require_proof and policy.min_security_level > 1 and is_anywhere


def _is_regional(policy: Policy) -> bool:
    return policy.title_countries is not None and COUNTRY not in policy.title_countries


def _is_renewed_late(policy: Policy) -> bool:
    return policy.license_renew_until_s is not None


def _is_renewed_early(policy: Policy) -> bool:
    return policy.license_renew_from_s is not None


def _has_one_device(policy: Policy) -> bool:
    devices = policy.plan_max_download_devices
    return devices is not None and devices.value == 1


def _is_over(policy: Policy, at: int) -> bool:
    return policy.title_window_end is not None and policy.title_window_end <= at


def _first(what: str, found: Iterable[T]) -> T:
    for each in found:
        return each
    raise NotFound(f"The catalog has no {what}. The demo needs one: see examples/catalog.json.")
