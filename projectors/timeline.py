"""What happened on an account, in order: pages of 20 entries that lose nothing.

The row `a1/0000` holds versions 1 to 20 of account a1, `a1/0001` the next 20; `a1/head` says
where the account has come, so that a reader finds the latest page.
"""

import sys
from typing import Any, get_args

import msgspec
from msgspec import Raw, Struct, field

from projectors.projection import Projection
from schemas import events
from schemas.envelope import Event

PAGE_ENTRIES = 20  # a page is written again with each batch that touches it
HEAD = "head"


class Entry(Struct, gc=False, omit_defaults=True):
    """One event in a few words."""

    version: int
    at: int
    type: str
    actor: str
    command_id: str
    catalog_version: int = 0  # whose policies decided
    facts: dict[str, Any] = field(default_factory=dict)  # the event's own fields, where set


class Page(Struct, gc=False, omit_defaults=True):
    """One page, or the head, which has no entries."""

    page: int | None = None  # None: the head
    first_version: int = 0  # of the account, as far as this row has seen
    version: int = 0
    entries: list[Raw] = field(default_factory=list)  # of Entry, each encoded once


def happened(row: Page, event: Event) -> Page:
    """One more entry; the head only moves on."""
    row.version = event.version
    row.first_version = row.first_version or event.version
    if row.page is not None:
        row.entries.append(Raw(_encode(entry_of(event))))
    return row


def forgotten(row: Page, event: Event) -> None:
    """Every page is deleted."""
    return


def entry_of(event: Event) -> Entry:
    """The event as an entry."""
    names = _FACTS[type(event)]
    return Entry(
        version=event.version,
        at=event.at,
        type=type(event).__name__,
        actor=event.actor,
        command_id=event.command_id,
        catalog_version=event.catalog_version,
        # neither None nor "" nor (), but 0 and False
        facts={n: fact for n in names if (fact := getattr(event, n)) or fact == 0},
    )


def entries_of(row: Page) -> list[Entry]:
    """The entries of a page."""
    return [msgspec.json.decode(entry, type=Entry) for entry in row.entries]


def keys(event: Event) -> tuple[str, ...]:
    """The page of the event's version and the head; an erasure touches every page."""
    account_id, page = event.account_id, page_of(event.version)
    head = f"{account_id}/{HEAD}"
    if isinstance(event, events.AccountErased):
        return (*(page_key(account_id, n) for n in range(page + 1)), head)
    return (page_key(account_id, page), head)


def page_of(version: int) -> int:
    """The number of the page that has this version."""
    return max(version - 1, 0) // PAGE_ENTRIES


def page_key(account_id: str, page: int) -> str:
    """The key of a page. No account's key can be another's: the last slash divides."""
    return f"{account_id}/{page:04}"


def _initial(key: str) -> Page:
    name = key.rpartition("/")[2]
    return Page(page=None if name == HEAD else int(name))


_encode = msgspec.json.Encoder().encode

_ENVELOPE = frozenset(Event.__struct_fields__)
_FACTS: dict[type[Event], tuple[str, ...]] = {
    event_type: tuple(n for n in event_type.__struct_fields__ if n not in _ENVELOPE)
    for event_type in get_args(events.AnyEvent)
}

PROJECTION: Projection[Page] = Projection(
    name="timeline",
    row_type=Page,
    initial=_initial,
    keys=keys,
    folds={**dict.fromkeys(_FACTS, happened), events.AccountErased: forgotten},
    modules=(sys.modules[__name__],),
)
