"""Which rows an event touches: by account, title or studio; and the calendar that rows use."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS


def by_account(event: Any) -> tuple[str, ...]:
    """One row per account."""
    return (event.account_id,)


def by_title(event: Any) -> tuple[str, ...]:
    """One row per title; an event that names none touches none."""
    return (event.title_id,) if event.title_id else ()


def by_studio(event: Any) -> tuple[str, ...]:
    """One row per studio; an event that names none touches none."""
    return (event.studio_id,) if event.studio_id else ()


def forgotten(row: Any, event: Any) -> None:
    """The fold of AccountErased: the row is deleted."""
    return


def month_of(at: int) -> str:
    """The UTC calendar month of an instant: `2026-11`."""
    return _month_of_day(at // DAY_MS)


def month_after(at: int) -> int:
    """The instant at which the next UTC calendar month begins."""
    moment = datetime.fromtimestamp(at // 1_000, UTC)
    years, month = divmod(moment.month, 12)
    return int(datetime(moment.year + years, month + 1, 1, tzinfo=UTC).timestamp()) * 1_000


@lru_cache(maxsize=4_096)
def _month_of_day(day: int) -> str:
    return f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m}"
