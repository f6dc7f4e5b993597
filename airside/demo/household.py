"""A household: one account, the people behind it, and what is asked in its name."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from airside.demo.device import Device, Held, Model
from airside.demo.habits import Shelf, until_moment
from airside.demo.stage import DAY, HOUR, Party, Stage, Story
from schemas.commands import (
    ChangeCountry,
    ChangePlan,
    CloseAccount,
    EraseAccount,
    GrantAllowance,
    OpenAccount,
    ReinstateAccount,
    RemoveDevice,
    RevokeLicense,
    SuspendAccount,
)
from schemas.envelope import Command, Event
from schemas.events import (
    LicenseIssued,
    LicenseReleased,
    LicenseRenewed,
    LicenseRevoked,
    PlayWindowOpened,
)

LIKES_NEWS = 0.8


@dataclass(slots=True)
class Household:
    """Everything of an account that the world outside the service knows."""

    stage: Stage
    party: Party
    id: str
    plan_id: str
    country: str
    shelf: Shelf
    devices: list[Device] = field(default_factory=list)
    had: set[str] = field(default_factory=set)  # titles that they felt like once
    gone: bool = False  # closed or erased: nobody watches any more

    @property
    def now_at(self) -> int:
        """The true time, ms."""
        return self.stage.now_at

    @property
    def random(self) -> Random:
        """This household's own luck."""
        return self.party.random

    def device(self, model: Model, clock_error_ms: int = 0) -> Device:
        """A new device, out of its box and not registered yet."""
        alike = sum(model.kind == device.model.kind for device in self.devices)
        device_id = f"{self.id}-{model.kind}" + (f"-{alike + 1}" if alike else "")
        device = Device(self, device_id, model, clock_error_ms)
        self.devices.append(device)
        return device

    def at_hand(self) -> list[Device]:
        """The devices that are in the house."""
        return [device for device in self.devices if not device.lost]

    def begin(self, story: Story, *, after_ms: int = 0) -> None:
        """Let something happen beside what happens already."""
        self.stage.begin(self.party, story, after_ms=after_ms)

    def tell(self, command: Command) -> None:
        """Send a command and do not wait for its outcome."""
        self.stage.send(self.party, command)

    def chance(self, probability: float) -> bool:
        """Whether it happens this time."""
        return self.random.random() < probability

    def feels_like(self) -> str:
        """A popular title (its id), and mostly one that these people have not had yet."""
        title_id = self.shelf.pick(self.random)
        if title_id in self.had and self.chance(LIKES_NEWS):
            title_id = self.shelf.pick(self.random)
        self.had.add(title_id)
        return title_id

    def until_moment(self, days: int = 0) -> int:
        """How long (ms) until these people do something again, so many days later."""
        return until_moment(self.random, self.now_at, days=days)

    def until_day(self, day: int, *, hour: int) -> int:
        """How long (ms) until that hour of that day of the simulation; the first is day 0."""
        first_midnight = self.stage.start_at - self.stage.start_at % DAY
        return max(0, first_midnight + day * DAY + hour * HOUR - self.now_at)

    def learn(self, event: Event) -> None:
        """Take in what the service says about licenses."""
        match event:
            case LicenseIssued():
                held = Held(event.title_id, event.expires_at)
                self._device(event.device_id).held[event.license_id] = held
            case LicenseRenewed() | PlayWindowOpened():
                known = self._device(event.device_id).held.get(event.license_id)
                if known is not None:
                    known.expires_at = event.expires_at
            case LicenseReleased() | LicenseRevoked():
                self._device(event.device_id).held.pop(event.license_id, None)

    def _device(self, device_id: str) -> Device:
        return next(device for device in self.devices if device.id == device_id)

    # What is asked of the account.

    def opens(self) -> Command:
        """Begins the membership."""
        return OpenAccount(**self.signed(), plan_id=self.plan_id, country=self.country)

    def changes_plan(self, plan_id: str) -> Command:
        """Takes another plan."""
        return ChangePlan(**self.signed(), plan_id=plan_id)

    def moves(self, country: str) -> Command:
        """Moves to another country, as the invoices say."""
        return ChangeCountry(**self.signed("billing"), country=country)

    def removes(self, device: Device) -> Command:
        """Takes a device off the account, on the web site: it need not be at hand."""
        return RemoveDevice(**self.signed(), device_id=device.id)

    def is_suspended(self, reason: str) -> Command:
        """Is put on hold."""
        return SuspendAccount(**self.signed("billing"), reason=reason)

    def is_reinstated(self, reason: str) -> Command:
        """Is taken off hold."""
        return ReinstateAccount(**self.signed("billing"), reason=reason)

    def closes(self, reason: str) -> Command:
        """Ends the membership."""
        return CloseAccount(**self.signed(), reason=reason)

    def is_erased(self) -> Command:
        """Is forgotten, as the law lets a person ask."""
        return EraseAccount(**self.signed("support:privacy"))

    def is_granted(self, count: int, **what: Any) -> Command:
        """Gets some more from support for two weeks, of a title or on a device."""
        return GrantAllowance(
            **self.signed("support:ines"),
            count=count,
            expires_at=self.now_at + 14 * DAY,
            note="asked politely",
            **what,
        )

    def is_revoked(self, reason: str, **what: Any) -> Command:
        """Loses licenses: one of `license_id`, `title_id`, `device_id`, `all`."""
        return RevokeLicense(**self.signed("support:ines"), reason=reason, **what)

    def signed(self, actor: str = "member", issued_at: int | None = None) -> dict[str, Any]:
        """What every command carries. The id is drawn once, so sending it again is a repeat."""
        return {
            "command_id": f"{self.random.getrandbits(128):032x}",
            "account_id": self.id,
            "issued_at": self.now_at if issued_at is None else issued_at,
            "actor": actor,
        }
