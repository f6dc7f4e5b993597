"""The rules about a title: R03, R04, R05, R11, R12, R14, R15, R16, R17."""

from commands.ask import Ask, Refusal
from commands.license import License
from commands.policy import DAY_S
from commands.rolling import count_within, possible_again_at, tightest
from schemas.envelope import INSTANT_MAX

YEAR_S = 365 * DAY_S


def is_known(ask: Ask) -> Refusal | None:
    """R03: the catalog has the title."""
    if ask.title_id is not None and ask.title is None:
        return Refusal("TITLE_UNKNOWN")
    return None


def is_downloadable(ask: Ask) -> Refusal | None:
    """R03: the title may be downloaded, not only streamed."""
    if ask.title is not None and not ask.policy.title_downloadable:
        return Refusal("TITLE_NOT_DOWNLOADABLE")
    return None


def is_in_its_window(ask: Ask) -> Refusal | None:
    """R04: the title is available now: from its window's start until just before its end."""
    start, end = ask.policy.title_window_start, ask.policy.title_window_end
    if end is not None and ask.at >= end:
        return Refusal("TITLE_WITHDRAWN", detail=f"its window ended at {end}")
    if start is not None and ask.at < start:
        return Refusal("TITLE_WITHDRAWN", available_at=start, detail="its window is to come")
    return None


def is_allowed_in_country(ask: Ask) -> Refusal | None:
    """R05: the title may be downloaded in the account's country."""
    countries = ask.policy.title_countries
    if countries is None or ask.account.country in countries or not ask.account.country:
        return None
    return Refusal("REGION_NOT_ALLOWED", detail=ask.account.country)


def studio_has_room(ask: Ask) -> Refusal | None:
    """R11: the account holds fewer active licenses of the title's studio than it may."""
    bound, studio_id = ask.policy.studio_max_active, ask.studio_id
    if bound is None or studio_id is None:
        return None
    used = sum(1 for held in ask.other_active_licenses() if held.studio_id == studio_id)
    if used < bound.value:
        return None
    return Refusal("STUDIO_ACTIVE_LIMIT", bound.value, used, bound.scope)


def is_on_few_devices(ask: Ask) -> Refusal | None:
    """R12: with this device, the title is active on no more devices than it may be."""
    bound = ask.policy.title_max_concurrent_devices
    if bound is None:
        return None
    others = {
        held.device_id
        for held in ask.other_active_licenses()
        if held.title_id == ask.title_id and held.device_id != ask.device_id
    }
    if len(others) < bound.value:
        return None
    return Refusal("TITLE_DEVICE_LIMIT", bound.value, len(others), bound.scope)


def downloads_are_left(ask: Ask) -> Refusal | None:
    """R14: the account has a download of the title left, in the window of every scope.

    R15: where renewals do not count, they are not refused for it either.
    """
    bounds = ask.policy.title_max_downloads
    if not bounds or ask.title_id is None or is_free_renewal(ask):
        return None
    counted, held = _downloads(ask), places_held(ask)
    use = tightest(bounds, counted, ask.at, ask.granted_for_title, held)
    if use is None or use.left > 0:
        return None
    again_at = possible_again_at(bounds, counted, ask.at, ask.granted_for_title, held)
    if again_at is not None and again_at >= INSTANT_MAX:
        again_at = None
    return Refusal("TITLE_PERIOD_LIMIT", use.limit, use.used, use.scope, again_at)


def places_held(ask: Ask) -> list[int]:
    """R16: until when licenses of the title hold a place in R14 that did not count yet.

    Where downloads count on completion, an active one will count, unless it ends before. One
    that is renewed keeps the place that its own download is going to take.
    """
    if ask.policy.title_count_at != "completed":
        return []
    waiting = [
        other.expires_at
        for other in ask.other_active_licenses()
        if other.title_id == ask.title_id and other.counted_at is None
    ]
    if ask.license is not None and ask.license.counted_at is None:
        waiting.append(INSTANT_MAX)
    return waiting


def is_free_renewal(ask: Ask) -> bool:
    """R15: by policy a renewal may be no download."""
    return ask.license is not None and not ask.policy.title_count_renewals


def counts_at_once(ask: Ask) -> bool:
    """R16: a license counts when issued, or only when its download is completed.

    A renewal fetches nothing, so where it counts (R15) it counts at once.
    """
    if ask.license is not None:
        return ask.policy.title_count_renewals
    return ask.policy.title_count_at == "issued"


def downloads_said(ask: Ask, *, counts: bool) -> tuple[int | None, int, int]:
    """R14 as an event says it: limit, how many are used (with this one) and their window.

    Of several limits the one with the fewest left; without any, the downloads of a year. What
    others hold that will count on completion is used, too.
    """
    counted, bounds = _downloads(ask), ask.policy.title_max_downloads
    use = tightest(bounds, counted, ask.at, ask.granted_for_title, places_held(ask))
    if use is None:
        return None, count_within(counted, ask.at, YEAR_S) + counts, YEAR_S
    return use.limit, use.used + counts, use.window_s


def refund_is_due(license: License, ask: Ask) -> bool:
    """R16: a counted download that failed soon after it was issued counts no more.

    What was completed or played did not fail, and what is over cannot any more.
    """
    age_ms = ask.at - license.issued_at
    return (
        license.counted_at is not None
        and license.ended_as is None
        and not license.is_completed
        and age_ms <= ask.policy.title_refund_failed_within_s * 1000
    )


def plays_are_left(ask: Ask) -> Refusal | None:
    """R17: the title was played less often than it may be, in the window of every scope."""
    bounds = ask.policy.title_max_plays
    if not bounds or ask.title_id is None:
        return None
    plays = tuple(ask.account.title(ask.title_id).plays.values())
    use = tightest(bounds, plays, ask.at)
    if use is None or use.left > 0:
        return None
    again_at = possible_again_at(bounds, plays, ask.at)
    return Refusal("PLAYBACK_PERIOD_LIMIT", use.limit, use.used, use.scope, again_at)


def _downloads(ask: Ask) -> list[int]:
    if ask.title_id is None:
        return []
    return [counted_at for counted_at, _ in ask.account.title(ask.title_id).downloads]
