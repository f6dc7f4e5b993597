"""The catalog of the load: thousands of titles, studios with one of three policies each."""

import json

from commands.catalog_file import parse_catalog

DAY = 86_400_000
TITLES, STUDIOS = 2_000, 40
PLANS = ("ads", "basic", "standard", "premium")
SLOTS = {"ads": 2, "basic": 1, "standard": 2, "premium": 6}
POLICIES = ("open", "open", "standard", "standard", "strict")  # of studios, in turn
TERM_MS = {"open": 30 * DAY, "standard": 30 * DAY, "strict": 7 * DAY}
PLAY_WINDOW_MS = {"standard": 2 * DAY, "strict": 2 * DAY}

_SAMPLES = {
    "open": {},
    "standard": {"title.max_downloads": 3, "studio.max_active": 20},
    "strict": {
        "title.max_downloads": 2,
        "license.max_renewals": 3,
        "studio.max_active": 5,
        "title.max_concurrent_devices": 1,
    },
}


def records() -> list[tuple[str, bytes]]:
    """What the catalog's topic holds."""
    content = {
        "policies": {name: sample | _durations(name) for name, sample in _SAMPLES.items()},
        "service": {"policy": "open"},
        "plans": {
            plan: {"name": plan, "policy": {"plan.max_download_devices": SLOTS[plan]}}
            for plan in PLANS
        },
        "studios": {
            f"s{n}": {"name": f"Studio {n}", "policy": POLICIES[n % len(POLICIES)]}
            for n in range(STUDIOS)
        },
        "titles": {
            f"t{n}": {"name": f"Title {n}", "studio_id": f"s{n % STUDIOS}"}
            for n in range(TITLES)
        },
    }
    return parse_catalog(json.dumps(content).encode())


def policy_of(title: int) -> str:
    """The policy of a title's studio."""
    return POLICIES[title % STUDIOS % len(POLICIES)]


def _durations(policy: str) -> dict[str, int]:
    found = {"license.term_s": TERM_MS[policy] // 1_000}
    if policy in PLAY_WINDOW_MS:
        found["license.play_window_s"] = PLAY_WINDOW_MS[policy] // 1_000
    return found
