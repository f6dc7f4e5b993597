"""The rules about a license: R18–R22, R26–R29."""

from commands.ask import Ask, Refusal
from commands.device_rules import lease_from
from commands.license import License
from commands.policy import DAY_S, Policy
from schemas.commands import ReleaseLicense, ReportPlayback

RENEWED_WITHIN_S = 30 * DAY_S  # of the expiry, with all of its device, where no policy says


def is_known(ask: Ask) -> Refusal | None:
    """The account holds or held the license, and not so long ago that it was forgotten."""
    return Refusal("LICENSE_UNKNOWN") if ask.license is None else None


def is_not_terminal(ask: Ask) -> Refusal | None:
    """A released or revoked license does not come back."""
    license = ask.license
    if license is None or license.ended_as is None:
        return None
    return Refusal("LICENSE_TERMINAL", detail=f"{license.ended_as} at {license.ended_at}")


def was_not_given_back(ask: Ask) -> Refusal | None:
    """Nothing plays after the member deleted it; what played before may be reported late.

    A revoked license may play on: an offline device has only the expiry it was given.
    """
    license, report = ask.license, ask.command
    if license is None or not isinstance(report, ReportPlayback):
        return None
    if license.ended_as != "released" or license.ended_at is None:
        return None
    if report.started_at <= license.ended_at + _tolerance_ms(ask):
        return None
    return Refusal("LICENSE_TERMINAL", detail=f"released at {license.ended_at}")


def times_are_in_order(ask: Ask) -> Refusal | None:
    """A playback does not stop before it starts."""
    report = ask.command
    if not isinstance(report, ReportPlayback) or report.stopped_at is None:
        return None
    if report.stopped_at >= report.started_at:
        return None
    return Refusal("COMMAND_INVALID", detail="stopped_at lies before started_at")


def has_renewals_left(ask: Ask) -> Refusal | None:
    """R18: a license is renewed at most so many times."""
    bound, license = ask.policy.license_max_renewals, ask.license
    if bound is None or license is None or license.renewals < bound.value:
        return None
    return Refusal(
        "RENEWAL_LIMIT", bound.value, license.renewals, bound.scope, None, "renewals"
    )


def is_young_enough(ask: Ask) -> Refusal | None:
    """R19: a license is renewed only up to a certain age, counted from when it was issued."""
    bound, license = ask.policy.license_max_age_s, ask.license
    if bound is None or license is None:
        return None
    age_s = (ask.at - license.issued_at) // 1000
    if age_s < bound.value:
        return None
    return Refusal("RENEWAL_LIMIT", bound.value, age_s, bound.scope, None, "age in seconds")


def is_near_its_expiry(ask: Ask) -> Refusal | None:
    """R20: a license is renewed no earlier than so long before its expiry."""
    from_s, license = ask.policy.license_renew_from_s, ask.license
    if from_s is None or license is None:
        return None
    possible_at = license.expires_at - from_s * 1000
    if ask.at >= possible_at:
        return None
    return Refusal("RENEWAL_TOO_EARLY", available_at=possible_at)


def did_not_expire_long_ago(ask: Ask) -> Refusal | None:
    """R20: a license is renewed no later than so long after its expiry."""
    until_s, license = ask.policy.license_renew_until_s, ask.license
    if until_s is None or license is None:
        return None
    if ask.at <= license.expires_at + until_s * 1000:
        return None
    return Refusal("RENEWAL_TOO_LATE", detail=f"it expired at {license.expires_at}")


def is_worth_renewing(held: License, policy: Policy, at: int) -> bool:
    """R20: whether renewing its device renews it: it is active, or expired of late."""
    until_s = policy.license_renew_until_s
    return at <= held.expires_at + 1000 * (RENEWED_WITHIN_S if until_s is None else until_s)


def expiry(ask: Ask) -> int:
    """R21, R19, R04, R23: the earliest of term, greatest age, the title's end and the lease."""
    age, license = ask.policy.license_max_age_s, ask.license
    issued_at = ask.at if license is None else license.issued_at
    ends = (
        None if age is None else issued_at + age.value * 1000,
        ask.at + ask.policy.license_term_s * 1000,
        ask.policy.title_window_end,
        lease_from(ask.policy, ask.at),
    )
    return min([end for end in ends if end is not None])


def opens_play_window(license: License, started_at: int) -> bool:
    """R22: the first play opens the window, also if a later one was reported before it.

    A play from before the last renewal, or of a license that is over, opens none.
    """
    if license.play_window_s is None or license.ended_as or license.is_recorded_expired:
        return False
    if license.renewed_at is not None and started_at < license.renewed_at:
        return False
    return license.first_played_at is None or started_at < license.first_played_at


def play_window_end(license: License, started_at: int) -> int:
    """R22: the expiry once the first play began then; it never moves an expiry back."""
    return min(license.expires_at, started_at + (license.play_window_s or 0) * 1000)


def device_times_fit(ask: Ask) -> Refusal | None:
    """R26: what a device reports lies neither ahead of our clock nor before its license.

    Both with a tolerance. A sync is always taken: its skew is recorded and nothing hangs on it.
    """
    license, report, tolerance_ms = ask.license, ask.command, _tolerance_ms(ask)
    if license is None or not isinstance(report, ReportPlayback):
        return None
    latest_at = max(report.started_at, report.stopped_at or 0)
    if latest_at > ask.at + tolerance_ms:
        ahead_ms = latest_at - ask.at
        return Refusal("CLOCK_SKEW", tolerance_ms, ahead_ms, "service", None, "ms ahead")
    if report.started_at < license.issued_at - tolerance_ms:
        before_ms = license.issued_at - report.started_at
        detail = "ms before the license was issued"
        return Refusal("CLOCK_SKEW", tolerance_ms, before_ms, "service", None, detail)
    return None


def played_in_time(ask: Ask) -> Refusal | None:
    """R27: by policy a playback that began after the expiry is refused, not only flagged."""
    if ask.policy.playback_late_action == "reject" and is_late(ask):
        return Refusal("PLAYBACK_LATE")
    return None


def is_late(ask: Ask) -> bool:
    """R27: the playback began after the expiry that was in force then."""
    license, report = ask.license, ask.command
    if license is None or not isinstance(report, ReportPlayback):
        return False
    return report.started_at > license.expiry_for(report.started_at)


def deletion_is_proved(ask: Ask) -> Refusal | None:
    """R28: by policy a deletion that is only claimed frees nothing."""
    is_claimed = isinstance(ask.command, ReleaseLicense) and ask.command.proof == "claimed"
    if is_claimed and ask.policy.release_require_proof:
        return Refusal("PROOF_REQUIRED")
    return None


def warnings(ask: Ask, expires_at: int, downloads_left: int | None) -> tuple[str, ...]:
    """R29: what the member should hear: it ends soon; few downloads of the title are left."""
    heard = []
    if expires_at - ask.at <= ask.policy.warn_expiry_s * 1000:
        heard.append("EXPIRES_SOON")
    if downloads_left is not None and downloads_left <= ask.policy.warn_downloads_left:
        heard.append(f"DOWNLOADS_LEFT:{downloads_left}")
    return tuple(heard)


def _tolerance_ms(ask: Ask) -> int:
    return ask.policy.clock_max_skew_s * 1000
