"""Which rules would refuse a download: the answer of `airside/dry_running.py`."""

from msgspec import Struct


class Reason(Struct, frozen=True):
    """One rule that would refuse."""

    code: str
    rule: str
    limit: int | None
    used: int | None
    available_at: int | None
    scope: str | None
    explanation: str


class DryRun(Struct, frozen=True):
    """Whether a download would be allowed; the first reason is the one a command would get."""

    account_id: str
    device_id: str
    title_id: str
    at: int
    allowed: bool
    reasons: tuple[Reason, ...]
    version: int  # of the account
    catalog_version: int
    held: str = ""  # why no command of the account is handled now; "": it is not parked
