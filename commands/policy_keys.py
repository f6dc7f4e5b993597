"""Every policy key, in one table: validation, resolution and documentation all come from it.

A policy is a set of keys said by a scope: a title, its studio, the account's plan, the service.
How the scopes' words become one value is the key's *combination*:

    limit           the smallest number of all scopes, and whose it is; null sets no limit.
    smallest        the same, for what no refusal has to name.
    pair            every scope's (count, window) is a limit of its own, and all must hold.
    window          belongs to the count beside it in the same policy, to no other scope's.
    most_specific   the first of title, studio, plan, service that says the key.
    field           no policy key: a field of the title or plan itself.

Where the service's policy does not say a key, it says the default. A scope that lists a key in
its `override` silences the less specific scopes (and with them the default) for that key.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

DAY_S = 86_400
HISTORY_KEPT_S = 2 * 365 * DAY_S  # how long the state keeps counts: no window may be longer
DURATION_S_MAX = 10 * 365 * DAY_S  # of anything that is no window, so that sums stay instants
COUNT_MAX = 1_000_000  # above it, say null
SHOWN_CHARACTERS_MAX = 60

Scope = Literal["title", "studio", "plan", "service"]
Scopes = tuple[Scope, ...]
Value = bool | int | str | None
Combination = Literal["limit", "smallest", "pair", "window", "most_specific", "field"]

ANY: Scopes = ("title", "studio", "plan", "service")  # by precedence
ACCOUNT: Scopes = ("plan", "service")  # of keys asked where no title is involved
SERVICE: Scopes = ("service",)


class Key(Struct, frozen=True):
    """One key: what may be said, by whom, and how the scopes' words are combined."""

    name: str  # as policies spell it; with "_" for ".", the field of `Policy`
    rule: str
    combination: Combination
    default: Value
    meaning: str
    least: int = 0  # of a number
    most: int | None = COUNT_MAX  # of a number; None: the value is no number
    choices: tuple[str, ...] = ()  # of a word
    nullable: bool = True
    scopes: Scopes = ANY

    @property
    def field(self) -> str:
        """The name of the field of `Policy` that holds the resolved value."""
        return self.name.replace(".", "_")

    @property
    def allowed(self) -> str:
        """What may be said, in words for a table or an error."""
        if self.combination == "field":
            return f"the field {self.name.partition('.')[2]} of a {self.scopes[0]}"
        if self.choices:
            words = " or ".join(self.choices)
        elif self.most is None:
            words = "true or false"
        else:
            unit = " seconds" if self.name.endswith("_s") else ""
            words = f"a whole number from {self.least} to {self.most}{unit}"
        return words + (", or null for no limit" if self.nullable else "")

    def fault(self, value: object) -> str | None:
        """Why this value may not be said; None if it may."""
        if value is None:
            right = self.nullable
        elif self.choices:
            right = isinstance(value, str) and value in self.choices
        elif self.most is None:
            right = isinstance(value, bool)
        elif isinstance(value, bool) or not isinstance(value, int):
            right = False
        else:
            right = self.least <= value <= self.most
        return None if right else f"must be {self.allowed}, not {shown(value)}"


def shown(value: object) -> str:
    """A value as an error quotes it, short: `null`, `true`, `-3`, `'s99'`, `a list`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return "an object" if isinstance(value, dict) else "a list"
        case str() if len(value) > SHOWN_CHARACTERS_MAX:
            return repr(value[:SHOWN_CHARACTERS_MAX]) + "…"
        case _:
            return repr(value)


def _window(count: str, rule: str, default_s: int, scopes: Scopes = ANY) -> Key:
    """The window that goes with the count of a pair."""
    name, meaning, most = f"{count}_window_s", f"The rolling window of {count}.", HISTORY_KEPT_S
    return Key(name, rule, "window", default_s, meaning, 1, most, nullable=False, scopes=scopes)


def _seconds(
    name: str, rule: str, default: int | None, meaning: str, least: int = 0, by: Scopes = ANY
) -> Key:
    """A duration that restricts; where the default is none, null is one way to say it."""
    most, nullable = DURATION_S_MAX, default is None
    return Key(name, rule, "smallest", default, meaning, least, most, (), nullable, by)


def _choice(
    name: str, rule: str, words: tuple[str, ...], meaning: str, by: Scopes = ANY
) -> Key:
    """A word; the first one is the default."""
    first = words[0]
    return Key(
        name, rule, "most_specific", first, meaning, choices=words, nullable=False, scopes=by
    )


def _flag(name: str, rule: str, default: bool, meaning: str) -> Key:
    return Key(name, rule, "most_specific", default, meaning, most=None, nullable=False)


def _field(name: str, rule: str, default: Value, meaning: str) -> Key:
    kind: Scope = "title" if name.startswith("title.") else "plan"
    return Key(name, rule, "field", default, meaning, scopes=(kind,))


TABLE: tuple[Key, ...] = (
    _field("plan.downloads_enabled", "R02", True, "Whether the plan has downloads at all."),
    _field("title.downloadable", "R03", True, "Whether the title may be downloaded at all."),
    _field("title.window_start", "R04", None, "No license before this instant."),
    _field("title.window_end", "R04", None, "No license outlives this instant."),
    _field(
        "title.countries", "R05", None, "Where the title may be downloaded; null: everywhere."
    ),
    Key(
        "min_security_level",
        "R06",
        "smallest",
        3,
        "The weakest security level that suffices; 1 is the strongest.",
        least=1,
        most=3,
        nullable=False,
    ),
    Key(
        "plan.max_download_devices",
        "R07",
        "limit",
        None,
        "Devices of the account that may hold downloads at once.",
        scopes=ACCOUNT,
    ),
    Key("device.max_adds", "R08", "pair", None, "Devices added in a window.", scopes=ACCOUNT),
    _window("device.max_adds", "R08", 30 * DAY_S, ACCOUNT),
    Key(
        "device.max_removals",
        "R08",
        "pair",
        None,
        "Devices removed in a window.",
        scopes=ACCOUNT,
    ),
    _window("device.max_removals", "R08", 30 * DAY_S, ACCOUNT),
    Key("device.max_active", "R09", "limit", 100, "Active licenses on one device."),
    Key("account.max_active", "R10", "limit", None, "Active licenses of the account."),
    Key("studio.max_active", "R11", "limit", None, "Active licenses of one studio's titles."),
    Key("title.max_concurrent_devices", "R12", "limit", None, "Devices that hold one title."),
    Key(
        "plan.max_downloads_device_month",
        "R13",
        "limit",
        None,
        "Downloads of one device in one calendar month (UTC).",
        scopes=ACCOUNT,
    ),
    Key("title.max_downloads", "R14", "pair", None, "Downloads of one title in a window."),
    _window("title.max_downloads", "R14", 365 * DAY_S),
    _flag("title.count_renewals", "R15", True, "Whether a renewal counts as a download."),
    _choice("title.count_at", "R16", ("issued", "completed"), "When a download counts."),
    _seconds(
        "title.refund_failed_within_s",
        "R16",
        DAY_S,
        "A download that failed this soon after it was issued does not count.",
    ),
    Key("title.max_plays", "R17", "pair", None, "Plays of one title in a window."),
    _window("title.max_plays", "R17", 365 * DAY_S),
    Key("license.max_renewals", "R18", "limit", None, "Renewals of one license."),
    Key(
        "license.max_age_s",
        "R19",
        "limit",
        365 * DAY_S,
        "Age of one license, renewals included.",
        least=1,
        most=DURATION_S_MAX,
    ),
    _seconds(
        "license.renew_from_s", "R20", None, "Renewed no earlier than this before its expiry."
    ),
    _seconds(
        "license.renew_until_s", "R20", None, "Renewed no later than this after its expiry."
    ),
    _seconds("license.term_s", "R21", 30 * DAY_S, "From the issue or renewal on.", 1),
    _seconds("license.play_window_s", "R22", None, "From the first play on.", 1),
    _seconds("account.lease_s", "R23", None, "How long a device may stay away.", 1, ACCOUNT),
    _choice(
        "license.slot_held_until",
        "R24",
        ("expired", "released"),
        "When a license gives its device's slot back.",
        ACCOUNT,
    ),
    _choice(
        "plan.downgrade_action",
        "R25",
        ("block_new", "revoke_newest"),
        "What happens to devices beyond the limit of a smaller plan.",
        ACCOUNT,
    ),
    Key(
        "clock.max_skew_s",
        "R26",
        "most_specific",
        300,
        "How far ahead of the service's clock a device's may be.",
        most=DAY_S,
        nullable=False,
        scopes=SERVICE,
    ),
    _choice(
        "playback.late_action",
        "R27",
        ("accept_flag", "reject"),
        "What happens to a report of a playback that began after the expiry.",
    ),
    _flag("release.require_proof", "R28", False, "Whether a deletion must be proved."),
    Key(
        "warn.expiry_s",
        "R29",
        "most_specific",
        7 * DAY_S,
        "Warn when a license ends within this time.",
        most=DURATION_S_MAX,
        nullable=False,
    ),
    Key(
        "warn.downloads_left",
        "R29",
        "most_specific",
        1,
        "Warn when no more than this many downloads of the title are left.",
        nullable=False,
    ),
)

KEYS: Mapping[str, Key] = MappingProxyType({key.name: key for key in TABLE})


def markdown_table() -> str:
    """The table for the documentation."""
    head = "| rule | key | says | default | combined | what it is |"
    rows = [head, "| --- | --- | --- | --- | --- | --- |"]
    for key in TABLE:
        by = "" if key.scopes == ANY else f", by {' or '.join(key.scopes)} only"
        rows.append(
            f"| {key.rule} | `{key.name}` | {key.allowed} | {shown(key.default)} "
            f"| {key.combination.replace('_', ' ')}{by} | {key.meaning} |"
        )
    return "\n".join(rows) + "\n"
