"""The load: what thousands of households ask for, in order of time, always the same.

    for at, command in load(Population(households=2_000)):
        ...                                        # 2 a day of each household, for ever

The mix of commands is that of `airside demo`, without its world: nothing here waits for an
outcome, so a million commands cost seconds and not minutes. A license's id follows from the
command that asks for it, so that what follows an AcquireLicense can be written beforehand;
where that was refused, so is what follows. Titles are popular as zipf has it, one command in
ten is sent twice, and the timekeeper's commands are among them.
"""

import heapq
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf
from random import Random
from typing import Any

from benchmarks.catalog import PLANS, PLAY_WINDOW_MS, TERM_MS, TITLES, policy_of
from schemas.commands import (
    AcquireLicense,
    ChangePlan,
    CloseAccount,
    DownloadStatus,
    ExpireLicense,
    GrantAllowance,
    OpenAccount,
    RegisterDevice,
    ReinstateAccount,
    ReleaseLicense,
    RenewDevice,
    RenewLicense,
    ReportDownload,
    ReportPlayback,
    SuspendAccount,
    SyncDevice,
)
from schemas.envelope import Command, derived_id

SEED = 20170621
START_AT = 1_782_864_000_000  # 2026-07-01T00:00:00Z
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
YEAR = 365 * DAY
SENT_TWICE = 0.1  # of all commands: the client did not hear the answer
DAYS_BETWEEN_EVENINGS, DAYS_BETWEEN_SYNCS = 9, 14

Story = Iterator[Command | int]
"""What somebody does: commands, and how long they wait (ms) before they go on."""


@dataclass(frozen=True, slots=True)
class Population:
    """Accounts are opened evenly over the first days, and closed after so many more."""

    households: int
    opening_days: float = 1
    staying_days: float = inf


_POPULARITY = tuple(accumulate(1 / rank for rank in range(1, TITLES + 1)))


@dataclass(slots=True)
class Town:
    """The time, all chance, and what everybody is going to do."""

    random: Random
    now_at: int = START_AT
    due: list[tuple[int, int, Story]] = field(default_factory=list)  # a heap
    begun: int = 0

    def begin(self, story: Story, after_ms: int = 0) -> None:
        """Let a story go on then."""
        self.begun += 1
        heapq.heappush(self.due, (self.now_at + after_ms, self.begun, story))

    def wait(self, days: float) -> int:
        """Some time, that long on average, ms."""
        return int(self.random.expovariate(1 / (days * DAY)))


@dataclass(slots=True)
class Home:
    """One household."""

    town: Town
    account_id: str
    devices: list[str]
    held: dict[str, list[str]]  # device -> licenses
    leaves_at: float

    @property
    def stays_ms(self) -> int:
        """How long until they close their account."""
        return int(min(self.leaves_at - self.town.now_at, YEAR))

    def signed(self, actor: str = "member") -> dict[str, Any]:
        """What every command carries."""
        town = self.town
        return {
            "command_id": f"{town.random.getrandbits(128):032x}",
            "account_id": self.account_id,
            "issued_at": town.now_at - town.random.randrange(2 * SECOND),
            "actor": actor,
        }


def load(people: Population) -> Iterator[tuple[int, Command]]:
    """(when it arrives, the command), until nobody does anything any more."""
    town = Town(Random(SEED))
    for number in range(people.households):
        devices = [f"device-{number:05}-{n}" for n in range(1 + number % 3)]
        after_ms = int(number / people.households * people.opening_days * DAY)
        home = Home(
            town,
            f"account-{number:05}",
            devices,
            {name: [] for name in devices},
            leaves_at=START_AT + after_ms + people.staying_days * DAY,
        )
        town.begin(lives(home), after_ms=after_ms)
    while town.due:
        town.now_at, _, story = heapq.heappop(town.due)
        step = next(story, None)
        if isinstance(step, int):
            town.begin(story, after_ms=step)
        elif step is not None:
            yield town.now_at, step
            town.begin(story)
            if town.random.random() < SENT_TWICE:
                town.begin(iter((step,)), after_ms=town.random.randrange(5 * SECOND))


def lives(home: Home) -> Story:
    """Opens an account, registers devices, and then has evenings with downloads."""
    town, random = home.town, home.town.random
    yield OpenAccount(**home.signed(), plan_id=random.choice(PLANS), country="US")
    for device_id in home.devices:
        yield random.randrange(30 * SECOND, 10 * MINUTE)
        yield RegisterDevice(
            **home.signed(), device_id=device_id, model="Pixel 9", security_level=1
        )
        town.begin(checks_in(home, device_id), after_ms=town.wait(DAYS_BETWEEN_SYNCS))
    while town.now_at < home.leaves_at:
        for _ in range(1 + int(random.expovariate(1 / 1.6))):
            town.begin(downloads(home), after_ms=random.randrange(HOUR))
        if random.random() < 0.05:
            town.begin(has_business(home), after_ms=random.randrange(DAY))
        yield min(town.wait(DAYS_BETWEEN_EVENINGS), home.stays_ms)
    yield CloseAccount(**home.signed(), reason="moved to another service")


def checks_in(home: Home, device_id: str) -> Story:
    """Now and then a device says what it holds, or renews it all."""
    town = home.town
    while town.now_at < home.leaves_at:
        if home.held[device_id] and town.random.random() < 0.15:
            yield RenewDevice(**home.signed(), device_id=device_id)
        else:
            yield SyncDevice(
                **home.signed(),
                device_id=device_id,
                held_license_ids=tuple(home.held[device_id]),
                device_clock=town.now_at,
            )
        yield town.wait(DAYS_BETWEEN_SYNCS)


def has_business(home: Home) -> Story:
    """What is rare: another plan, a bill that was not paid, something granted by support."""
    random = home.town.random
    match random.randrange(4):
        case 0:
            yield ChangePlan(**home.signed(), plan_id=random.choice(PLANS))
        case 1:
            yield SuspendAccount(**home.signed("billing"), reason="payment failed")
            yield home.town.wait(days=2)
            yield ReinstateAccount(**home.signed("billing"), reason="paid")
        case _:
            yield GrantAllowance(
                **home.signed("support:ines"),
                title_id=f"t{a_title(random)}",
                count=1,
                expires_at=home.town.now_at + 14 * DAY,
                note="asked politely",
            )


def downloads(home: Home) -> Story:
    """One download: asked for, fetched, watched, and then released, renewed or forgotten."""
    town, random = home.town, home.town.random
    title, device_id = a_title(random), random.choice((home.devices[0], *home.devices))
    acquire = AcquireLicense(
        **home.signed(), device_id=device_id, title_id=f"t{title}", drm="widevine"
    )
    yield acquire
    license_id = derived_id(acquire.command_id, f"{home.account_id}/1")
    home.held[device_id].append(license_id)
    expires_at = town.now_at + TERM_MS[policy_of(title)]
    yield random.randrange(SECOND, 20 * SECOND)
    yield ReportDownload(**home.signed(), license_id=license_id, status="started")
    yield random.randrange(3 * MINUTE, 25 * MINUTE)
    status: DownloadStatus = "completed" if random.random() < 0.95 else "failed"
    size = random.randrange(150, 2_500) << 20
    yield ReportDownload(**home.signed(), license_id=license_id, status=status, bytes=size)
    for _ in range(1 + (random.random() < 0.25)):
        yield town.wait(days=2)
        if town.now_at > expires_at:
            break
        yield from plays(home, license_id)
        window_ms = PLAY_WINDOW_MS.get(policy_of(title), TERM_MS["open"])
        expires_at = min(expires_at, town.now_at + window_ms)
    yield from ends(home, device_id, license_id, expires_at)


def plays(home: Home, license_id: str) -> Story:
    """One session, by chance reported when it starts too."""
    random, started_at = home.town.random, home.town.now_at
    session_id = f"{random.getrandbits(64):016x}"
    if random.random() < 0.2:
        yield ReportPlayback(
            **home.signed(), license_id=license_id, session_id=session_id, started_at=started_at
        )
    yield random.randrange(15 * MINUTE, 130 * MINUTE)
    yield ReportPlayback(
        **home.signed(),
        license_id=license_id,
        session_id=session_id,
        started_at=started_at,
        stopped_at=home.town.now_at,
        position_s=(home.town.now_at - started_at) // SECOND,
    )


def ends(home: Home, device_id: str, license_id: str, expires_at: int) -> Story:
    """What becomes of a license at last; a forgotten one is the timekeeper's."""
    town = home.town
    if town.random.random() < 0.15:
        yield RenewLicense(**home.signed(), license_id=license_id)
    if town.random.random() < 0.5:
        yield town.random.randrange(HOUR, 3 * DAY)
        if license_id in home.held[device_id]:
            yield ReleaseLicense(**home.signed(), license_id=license_id)
    else:
        yield max(0, expires_at - town.now_at)
        expire = home.signed("timekeeper") | {"issued_at": town.now_at}
        yield ExpireLicense(**expire, license_id=license_id, due_at=expires_at)
    home.held[device_id].remove(license_id)


def a_title(random: Random) -> int:
    """The number of a title that somebody feels like."""
    return bisect(_POPULARITY, random.random() * _POPULARITY[-1])
