"""The whole service in memory: decides at once what the world sends, and forgets nothing."""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

from airside.demo.cast_titles import CastTitles, find_titles
from airside.demo.world import World, steps
from commands.account import Account
from commands.catalog import Catalog
from commands.catalog_file import parse_catalog
from commands.desk import Desk
from commands.license_decider import DECIDER
from commands.stream import Stream
from commands.timekeeper import Due, expiry_of
from schemas.codec import CODEC
from schemas.envelope import Command, Event
from schemas.errors import Permanent
from schemas.events import CommandRefused, LicenseIssued, LicenseRenewed, PlayWindowOpened

E = TypeVar("E", bound=Event)

START_AT = 1_782_864_000_000  # 2026-07-01T00:00:00Z
CATALOG_FILE = Path(__file__).parents[3] / "examples" / "catalog.json"


@cache
def the_catalog() -> Catalog:
    """The catalog that ships with the project."""
    return Catalog.empty().with_entries(parse_catalog(CATALOG_FILE.read_bytes()), 1)


@cache
def the_cast_titles() -> CastTitles:
    return find_titles(the_catalog(), START_AT)


def a_world(*, seed: int = 7, households: int = 300) -> World:
    titles = [(title.title_id, title.studio_id) for title in the_catalog().titles.values()]
    return World(
        seed=seed,
        households=households,
        titles=titles,
        cast_titles=the_cast_titles(),
        start_at=START_AT,
    )


@dataclass
class Service:
    """Decides commands one by one, with timekeeper, and keeps what it said."""

    streams: dict[str, Stream[Account] | Permanent] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    due: list[tuple[int, str, str]] = field(default_factory=list)

    def decide(self, command: Command, at: int) -> list[Event]:
        account_id = command.account_id
        fresh = Stream(account_id, DECIDER.initial(account_id))
        self.streams.setdefault(account_id, fresh)
        desk = Desk(DECIDER, CODEC, the_catalog(), self.streams, len(self.events))
        self.outcomes[desk.decide(command, at)] += 1
        self.streams.update(desk.streams)
        said = [CODEC.decode_event(stored.data) for stored in desk.events]
        for event in said:
            if isinstance(event, LicenseIssued | LicenseRenewed | PlayWindowOpened):
                heapq.heappush(self.due, (event.expires_at, event.license_id, account_id))
        self.events += said
        return said

    def expire(self, now_at: int) -> list[Event]:
        """What the timekeeper adds."""
        said: list[Event] = []
        while self.due and self.due[0][0] <= now_at:
            due_at, license_id, account_id = heapq.heappop(self.due)
            said += self.decide(expiry_of(Due(license_id, account_id, due_at), now_at), now_at)
        return said

    def events_of(self, account_id: str, kind: type[E]) -> list[E]:
        return [e for e in self.events if e.account_id == account_id and isinstance(e, kind)]

    def refusals(self) -> Counter[tuple[str, str]]:
        """(account, code) → how often."""
        return Counter(
            (event.account_id, event.code)
            for event in self.events
            if isinstance(event, CommandRefused)
        )


@dataclass
class Run:
    """A world that lived through some days."""

    sent: Sequence[tuple[int, Command]]
    spans: Sequence[tuple[int, int, int]]  # last step, arrival, this step; of every command
    service: Service


def live(world: World, days: int, *, accounts_reversed: bool = False) -> Run:
    """What a world does, and what it is told of every account, in one order or the other."""
    sent: list[tuple[int, Command]] = []
    spans: list[tuple[int, int, int]] = []
    service, last_at = Service(), START_AT - 1
    for now_at in steps(START_AT, days):
        arrived = world.advance(now_at)
        sent += arrived
        spans += ((last_at, at, now_at) for at, _ in arrived)
        last_at = now_at
        said = [event for at, command in arrived for event in service.decide(command, at)]
        said += service.expire(now_at)
        said.sort(key=lambda event: event.account_id, reverse=accounts_reversed)
        for event in said:
            world.observe(event)
    return Run(sent, spans, service)


@cache
def two_months() -> Run:
    """The demo, as it is shown."""
    return live(a_world(), 62)


@cache
def the_cast_alone() -> Run:
    return live(a_world(households=0), 62)
