"""What happened on an account, in order, with the rule and catalog behind each refusal."""

from itertools import takewhile

import msgspec
from msgspec import Struct

from projectors.timeline import (
    HEAD,
    PROJECTION,
    Entry,
    entries_of,
    page_key,
    page_of,
)
from queries.explain import explain
from queries.reader import ANYTHING, AtLeast, Reader, Standing, the_row
from schemas.errors import Invalid

ENTRIES_SHOWN, ENTRIES_MAX = 50, 1_000  # in one answer: unless asked, and at most


class TimelineEntry(Struct, frozen=True, omit_defaults=True):
    """One event; a refusal also in words."""

    version: int
    at: int
    type: str
    actor: str
    command_id: str
    catalog_version: int
    facts: dict[str, object]
    explanation: str = ""


class TimelineAnswer(Struct, frozen=True):
    """A stretch of an account's history, the latest first."""

    account_id: str
    version: int  # of the account: the ETag
    standing: Standing
    entries: tuple[TimelineEntry, ...]
    before: int | None  # ask with this for what came earlier; None: this is the beginning


def timeline(
    reader: Reader,
    account_id: str,
    *,
    limit: int = ENTRIES_SHOWN,
    before: int | None = None,
    wanted: AtLeast = ANYTHING,
) -> TimelineAnswer:
    """The latest `limit` events, or the latest below version `before`.

    Raises: NotFound, Unavailable; Invalid above ENTRIES_MAX.
    """
    if not 1 <= limit <= ENTRIES_MAX:
        raise Invalid(f"a timeline of {limit} entries: ask for 1 to {ENTRIES_MAX}.")
    head_key = f"{account_id}/{HEAD}"
    head = the_row(
        reader.of_account(PROJECTION, account_id, (head_key,), wanted), head_key, account_id
    )
    last = head.version if before is None else min(head.version, before - 1)
    first = max(head.first_version, last - limit + 1)
    pages = range(page_of(first), page_of(last) + 1) if last >= first else range(0)
    keys = tuple(page_key(account_id, page) for page in pages)
    waited = msgspec.structs.replace(wanted, wait_seconds=0.0)
    reading = reader.of_account(PROJECTION, account_id, keys, waited)
    entries = [
        entry
        for key in keys
        if key in reading.rows
        for entry in entries_of(reading.rows[key])
        if first <= entry.version <= last
    ]
    return TimelineAnswer(
        account_id=account_id,
        version=head.version,
        standing=reading.standing,
        entries=tuple(_answer(entry) for entry in reversed(entries)),
        before=first if first > head.first_version else None,
    )


class ChangesAnswer(Struct, frozen=True):
    """What followed on some version of an account, the earliest first."""

    version: int  # of the account
    after: int  # the version that the first entry follows on: what was erased is left out
    entries: tuple[TimelineEntry, ...]  # without a gap; perhaps not all that there are


def changes(
    reader: Reader, account_id: str, *, after: int, limit: int = ENTRIES_SHOWN
) -> ChangesAnswer:
    """At most `limit` events that follow on version `after`. Raises: NotFound, Unavailable."""
    head_key = f"{account_id}/{HEAD}"
    head = the_row(reader.of_account(PROJECTION, account_id, (head_key,)), head_key, account_id)
    after = max(after, head.first_version - 1)
    last = min(head.version, after + limit)
    pages = range(page_of(after + 1), page_of(last) + 1) if last > after else range(0)
    keys = tuple(page_key(account_id, page) for page in pages)
    rows = reader.of_account(PROJECTION, account_id, keys).rows if keys else {}
    known = {
        entry.version: entry for key in keys if key in rows for entry in entries_of(rows[key])
    }
    # another generation, served since the head was read, may lack the last for a moment
    whole = takewhile(known.__contains__, range(after + 1, last + 1))
    entries = tuple(_answer(known[version]) for version in whole)
    return ChangesAnswer(version=head.version, after=after, entries=entries)


def _answer(entry: Entry) -> TimelineEntry:
    is_refusal = entry.type == "CommandRefused"
    return TimelineEntry(
        version=entry.version,
        at=entry.at,
        type=entry.type,
        actor=entry.actor,
        command_id=entry.command_id,
        catalog_version=entry.catalog_version,
        facts=entry.facts,
        explanation=explain(entry.facts, entry.catalog_version) if is_refusal else "",
    )
