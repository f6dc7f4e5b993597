"""Every event: what has happened to an account. Past tense, one class each.

An event holds what its decision resolved (expiry, counted or not, limit and use), so that a
later change of policy never rewrites history and a refusal explains itself.
"""

from schemas.envelope import Event, Uuid


class AccountOpened(Event, frozen=True, kw_only=True):
    """A membership began."""

    plan_id: str
    country: str


class PlanChanged(Event, frozen=True, kw_only=True):
    """The account is on another plan."""

    plan_id: str
    previous_plan_id: str


class CountryChanged(Event, frozen=True, kw_only=True):
    """The account is in another country."""

    country: str
    previous_country: str


class AccountSuspended(Event, frozen=True, kw_only=True):
    """The account is on hold."""

    reason: str


class AccountReinstated(Event, frozen=True, kw_only=True):
    """The account is off hold."""

    reason: str


class AccountClosed(Event, frozen=True, kw_only=True):
    """The membership ended."""

    reason: str


class AccountErased(Event, frozen=True, kw_only=True):
    """The person is forgotten."""


class DeviceRegistered(Event, frozen=True, kw_only=True):
    """A device became known, or came back after its removal."""

    device_id: str
    model: str
    drm: str
    security_level: int
    lease_until: int | None = None  # R23; None: no lease


class DeviceActivated(Event, frozen=True, kw_only=True):
    """A device took a slot: it holds its first license."""

    device_id: str
    slots_used: int  # with this one
    slots_limit: int | None


class DeviceDeactivated(Event, frozen=True, kw_only=True):
    """A device gave its slot back: it holds no license any more."""

    device_id: str


class DeviceRemoved(Event, frozen=True, kw_only=True):
    """A device was taken off the account."""

    device_id: str


class DeviceLeaseRenewed(Event, frozen=True, kw_only=True):
    """A device checked in; it may stay away until `lease_until`."""

    device_id: str
    lease_until: int | None


class DeviceSynced(Event, frozen=True, kw_only=True):
    """A device said what it holds."""

    device_id: str
    held: int  # licenses it named
    released: int  # licenses given back because it no longer named them
    clock_skew_ms: int  # its clock minus the broker's
    lease_until: int | None


class LicenseIssued(Event, frozen=True, kw_only=True):
    """A device may download a title and play it until `expires_at`."""

    license_id: Uuid
    device_id: str
    title_id: str
    studio_id: str
    counted: bool  # against the title's period limit (R14), now
    expires_at: int  # the earliest of term, title window and lease; what the device was told
    limit: int | None  # R14's, the tightest of all scopes; None: no limit
    used: int  # of that limit, this one included if counted
    window_s: int  # of that limit
    device_limit: int | None  # R13's, per calendar month (UTC); None: no limit
    play_window_s: int | None  # R22, as resolved now
    profile_id: str
    drm: str
    quality: str = "standard"  # since v2
    warnings: tuple[str, ...] = ()  # R29


class LicenseRenewed(Event, frozen=True, kw_only=True):
    """A license has a new expiry; its play window starts afresh with the next first play."""

    license_id: Uuid
    device_id: str
    title_id: str
    studio_id: str
    counted: bool
    expires_at: int
    previous_expires_at: int
    was_expired: bool  # a LicenseExpired came before: it is active again
    limit: int | None
    used: int
    window_s: int
    play_window_s: int | None
    renewal: int  # 1 for the first renewal of this license
    warnings: tuple[str, ...] = ()


class LicenseReleased(Event, frozen=True, kw_only=True):
    """A license was given back."""

    license_id: Uuid
    device_id: str
    title_id: str
    studio_id: str
    expires_at: int  # as last issued
    was_expired: bool  # a LicenseExpired came before: it was not active any more
    reason: str
    proof: str


class LicenseExpired(Event, frozen=True, kw_only=True):
    """A license's expiry has come. It may still be renewed."""

    license_id: Uuid
    device_id: str
    title_id: str
    studio_id: str
    expires_at: int  # as last issued


class LicenseRevoked(Event, frozen=True, kw_only=True):
    """A license was taken away; an offline device may play until `expires_at`."""

    license_id: Uuid
    device_id: str
    title_id: str
    studio_id: str
    expires_at: int  # as last issued
    was_expired: bool  # a LicenseExpired came before: it was not active any more
    reason: str


class DownloadReported(Event, frozen=True, kw_only=True):
    """The device said how fetching the media went."""

    license_id: Uuid
    device_id: str
    title_id: str
    status: str
    bytes: int


class DownloadCounted(Event, frozen=True, kw_only=True):
    """A download counted on completion (R16)."""

    license_id: Uuid
    device_id: str
    title_id: str
    studio_id: str


class DownloadRefunded(Event, frozen=True, kw_only=True):
    """A counted download failed early and counts no more (R16)."""

    license_id: Uuid
    device_id: str
    title_id: str
    studio_id: str
    counted_at: int  # the `at` under which it had counted


class PlaybackReported(Event, frozen=True, kw_only=True):
    """A session played."""

    license_id: Uuid
    device_id: str
    title_id: str
    studio_id: str
    session_id: str
    started_at: int
    stopped_at: int | None
    position_s: int
    counted: bool  # against the title's play limit (R17): the first report of its session
    late: bool  # it started after the license's expiry (R27)


class PlayWindowOpened(Event, frozen=True, kw_only=True):
    """The first play started the clock of the play window (R22)."""

    license_id: Uuid
    device_id: str
    title_id: str
    first_played_at: int
    expires_at: int
    previous_expires_at: int


class AllowanceGranted(Event, frozen=True, kw_only=True):
    """Support raised a limit for a while."""

    title_id: str | None
    device_id: str | None
    count: int
    expires_at: int
    note: str


class CommandRefused(Event, frozen=True, kw_only=True):
    """A command was refused by a rule."""

    command_type: str
    code: str  # schemas/codes.py says each in words
    rule: str  # R01 … R29, or "" where no numbered rule decided
    device_id: str | None = None
    title_id: str | None = None
    studio_id: str | None = None
    license_id: Uuid | None = None
    limit: int | None = None
    used: int | None = None
    available_at: int | None = None  # when the same command would pass this rule again
    scope: str | None = None  # whose limit: title, studio, plan or service
    detail: str = ""


class CommandNoted(Event, frozen=True, kw_only=True):
    """A command was understood and changed nothing."""

    command_type: str
    note: str
    license_id: Uuid | None = None
    due_at: int | None = None  # of an ExpireLicense that came too early or too late
    next_due_at: int | None = None  # when the license will really expire


AnyEvent = (
    AccountOpened
    | PlanChanged
    | CountryChanged
    | AccountSuspended
    | AccountReinstated
    | AccountClosed
    | AccountErased
    | DeviceRegistered
    | DeviceActivated
    | DeviceDeactivated
    | DeviceRemoved
    | DeviceLeaseRenewed
    | DeviceSynced
    | LicenseIssued
    | LicenseRenewed
    | LicenseReleased
    | LicenseExpired
    | LicenseRevoked
    | DownloadReported
    | DownloadCounted
    | DownloadRefunded
    | PlaybackReported
    | PlayWindowOpened
    | AllowanceGranted
    | CommandRefused
    | CommandNoted
)
