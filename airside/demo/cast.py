"""The cast: households with a name and a script, so that one can ask about them with certainty.

Between them they are refused for nearly every reason there is.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from airside.demo import cast_limits, cast_time, cast_trouble
from airside.demo.cast_titles import CastTitles
from airside.demo.household import Household
from airside.demo.stage import Story

Script = Callable[[Household, CastTitles], Story]

CAST: Mapping[Script, tuple[str, ...]] = MappingProxyType(
    {
        cast_limits.amelia: ("TITLE_PERIOD_LIMIT",),
        cast_limits.bruno: ("TOO_MANY_DEVICES",),
        cast_time.chiara: (),
        cast_trouble.dmitri: ("DEVICE_REMOVED", "LICENSE_TERMINAL"),
        cast_limits.emi: ("MONTHLY_DEVICE_LIMIT",),
        cast_trouble.farid: ("ACCOUNT_CLOSED",),
        cast_limits.greta: ("RENEWAL_LIMIT",),
        cast_limits.hugo: ("DEVICE_DOWNLOAD_LIMIT",),
        cast_limits.ines: ("STUDIO_ACTIVE_LIMIT",),
        cast_limits.jonas: ("TITLE_DEVICE_LIMIT",),
        cast_trouble.keiko: ("REGION_NOT_ALLOWED",),
        cast_trouble.liam: ("TITLE_UNKNOWN", "TITLE_WITHDRAWN", "TITLE_NOT_DOWNLOADABLE"),
        cast_trouble.mona: ("ACCOUNT_ON_HOLD",),
        cast_time.noor: ("COMMAND_STALE",),
        cast_time.otto: ("CLOCK_SKEW",),
        cast_trouble.pia: ("DEVICE_NOT_ELIGIBLE", "DEVICE_UNKNOWN"),
        cast_trouble.quentin: ("PLAN_NO_DOWNLOADS", "PLAN_UNKNOWN"),
        cast_trouble.rosa: ("LICENSE_UNKNOWN",),
        cast_trouble.sven: ("ACCOUNT_UNKNOWN",),
        cast_trouble.tess: ("COMMAND_INVALID",),
        cast_limits.uma: ("DEVICE_CHURN",),
        cast_time.viktor: ("LEASE_EXPIRED",),
        cast_limits.wanda: ("ACCOUNT_DOWNLOAD_LIMIT",),
        cast_limits.xavier: ("PLAYBACK_PERIOD_LIMIT",),
        cast_time.yara: ("RENEWAL_TOO_EARLY", "RENEWAL_TOO_LATE"),
        cast_trouble.zoe: ("PROOF_REQUIRED",),
    }
)
"""Every script, and the refusals that it is sure to meet."""

PROVOKED_BY: Mapping[str, str] = MappingProxyType(
    {code: script.__name__ for script, codes in CAST.items() for code in codes}
)
"""Refusal code → the account (the script's name) that is sure to be refused for it."""


PLAN_OF_THE_OTHERS = "premium"


def plan_of(name: str, titles: CastTitles) -> str:
    """The plan that a member of the cast begins with."""
    plans = {
        "bruno": titles.plan_of_one_device,
        "emi": titles.plan_of_few_a_month,
        "quentin": titles.plan_of_streaming,
        "uma": titles.plan_of_few_new_devices,
        "viktor": titles.plan_with_lease,
        "wanda": titles.plan_of_few_licenses,
    }
    return plans.get(name, PLAN_OF_THE_OTHERS)
