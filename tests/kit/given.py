"""Given a history, when a command comes, then these events: how rules are tested.

    household(*downloaded(1), title={"title.max_downloads": 1})     the policy that t1 says
        .when(acquire("t1"), at=NOW + DAY)
        .then_refused("R14", "TITLE_PERIOD_LIMIT", limit=1, used=1)

The household: account a1, open, on the standard plan, in GB, with devices d1, d2 and d3. Titles
t1 and t2 are studio s1's, t3 is s2's. Events come from tests/kit/happenings.py.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from commands.account import Account, initial
from commands.catalog import BUILT_IN_PLANS, Catalog, Plan, Studio, Title
from commands.catalog_entries import Service
from commands.decide import decide
from commands.dry_run import can_download
from commands.evolve import evolve
from commands.policy import Said
from schemas import commands, events
from schemas.envelope import Command, Event
from tests.kit.happenings import NOW, happened, id_of, issued

Says = Mapping[str, Any] | Said | None

COMMAND_ID = id_of(7_000)

HOUSEHOLD = (
    happened(events.AccountOpened, country="GB"),
    happened(events.DeviceRegistered, device_id="d1"),
    happened(events.DeviceRegistered, device_id="d2"),
    happened(events.DeviceRegistered, device_id="d3"),
)


class Expected(Struct, frozen=True):
    """An event of a type, with at least these fields."""

    event_type: type[Event]
    fields: dict[str, Any]


class Outcome(Struct, frozen=True):
    """What a command became."""

    account: Account  # after it
    events: tuple[Event, ...]

    def then(self, *expected: Expected) -> None:
        """Exactly these events, in this order."""
        assert [type(event) for event in self.events] == [e.event_type for e in expected]
        said = [
            {name: getattr(event, name) for name in e.fields}
            for event, e in zip(self.events, expected, strict=True)
        ]
        assert said == [e.fields for e in expected]

    def then_refused(self, rule: str, code: str, **fields: Any) -> None:
        """One refusal."""
        self.then(expect(events.CommandRefused, rule=rule, code=code, **fields))

    def then_noted(self, **fields: Any) -> None:
        """Nothing changed."""
        self.then(expect(events.CommandNoted, **fields))


class Given(Struct, frozen=True):
    """An account with a history, in a catalog."""

    account: Account
    catalog: Catalog

    def when(self, command: Command, at: int = NOW) -> Outcome:
        """The command is decided at that instant."""
        decided = tuple(decide(self.account, command, self.catalog, at))
        return Outcome(folded(self.account, stamped(decided, at)), decided)

    def codes(self, title_id: str = "t1", device_id: str = "d1", at: int = NOW) -> list[str]:
        """What a dry run says is against a download."""
        refusals = can_download(self.account, self.catalog, "a1", device_id, title_id, at)
        return [refusal.code for refusal in refusals]


def expect(event_type: type[Event], **fields: Any) -> Expected:
    """An event to be compared by these fields."""
    return Expected(event_type, fields)


def given(*history: Event, catalog: Catalog | None = None) -> Given:
    """An account with exactly this history."""
    return Given(folded(initial("a1"), history), catalog or catalog_of())


def household(
    *history: Event,
    title: Says = None,
    studio: Says = None,
    plan: Says = None,
    service: Says = None,
    **fields_of_t1: Any,
) -> Given:
    """The household and its further history; what t1, s1, its plan and the service say."""
    catalog = catalog_of(title, studio, plan, service, **fields_of_t1)
    return given(*HOUSEHOLD, *history, catalog=catalog)


def catalog_of(
    title: Says = None,
    studio: Says = None,
    plan: Says = None,
    service: Says = None,
    **fields_of_t1: Any,
) -> Catalog:
    """The household's catalog, version 5."""
    t1 = Title(title_id="t1", name="One", studio_id="s1", policy=said(title), **fields_of_t1)
    others = (
        Title(title_id="t2", name="Two", studio_id="s1"),
        Title(title_id="t3", name="Three", studio_id="s2"),
    )
    studios = (
        Studio(studio_id="s1", name="First", policy=said(studio)),
        Studio(studio_id="s2", name="Second"),
    )
    standard = Plan(plan_id="standard", policy=said(plan, {"plan.max_download_devices": 2}))
    none = Plan(plan_id="none", downloads_enabled=False)
    return Catalog(
        version=5,
        titles={entry.title_id: entry for entry in (t1, *others)},
        studios={entry.studio_id: entry for entry in studios},
        plans={**BUILT_IN_PLANS, "standard": standard, "none": none},
        service=Service(policy=said(service)),
    )


def said(words: Says, base: Mapping[str, Any] | None = None) -> Said | None:
    """A policy as an entry of the catalog holds it."""
    return words if isinstance(words, Said) else Said({**(base or {}), **(words or {})})


def override(**words: Any) -> Said:
    """A policy that silences the less specific scopes: `override(**{"title.max_plays": 3})`."""
    return Said(words, frozenset(words))


def stamped(decided: tuple[Event, ...], at: int) -> list[Event]:
    """Events as the handler would stamp them."""
    return [replace(event, at=at, account_id="a1", command_id=COMMAND_ID) for event in decided]


def folded(account: Account, history: tuple[Event, ...] | list[Event]) -> Account:
    """The account after these events."""
    for event in history:
        account = evolve(account, event)
    return account


def downloaded(n: int = 1, device_id: str = "d1", **fields: Any) -> tuple[Event, ...]:
    """License n was issued to the device, which took its slot with it."""
    at = fields.get("at", NOW)
    activated = happened(events.DeviceActivated, device_id=device_id, at=at)
    return issued(n, device_id=device_id, **fields), activated


def command(kind: type[Command], **fields: Any) -> Command:
    """A command of a1, issued now."""
    usual: dict[str, Any] = {"command_id": COMMAND_ID, "account_id": "a1", "issued_at": NOW}
    return kind(**usual | fields)


def acquire(title_id: str = "t1", device_id: str = "d1", **fields: Any) -> Command:
    """Asks for a license of a title for a device."""
    return command(commands.AcquireLicense, title_id=title_id, device_id=device_id, **fields)


def renew(n: int = 1) -> Command:
    """Asks to renew license n."""
    return command(commands.RenewLicense, license_id=id_of(n))


def release(n: int = 1, **fields: Any) -> Command:
    """Gives license n back."""
    return command(commands.ReleaseLicense, license_id=id_of(n), **fields)


def played(n: int = 1, started_at: int = NOW, **fields: Any) -> Command:
    """Reports a playback of license n."""
    usual: dict[str, Any] = {"license_id": id_of(n), "session_id": "p1"}
    usual["started_at"] = started_at
    return command(commands.ReportPlayback, **usual | fields)


def fetched(n: int = 1, status: str = "completed") -> Command:
    """Reports how fetching the media of license n went."""
    return command(commands.ReportDownload, license_id=id_of(n), status=status)


def expire(n: int = 1, due_at: int = NOW, **fields: Any) -> Command:
    """The timekeeper says that the expiry of license n has come."""
    return command(commands.ExpireLicense, license_id=id_of(n), due_at=due_at, **fields)
