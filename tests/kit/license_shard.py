"""One shard of license accounting in memory, handled by the real handler, and its past.

shard = LicenseShard(catalog)
shard.do(acquire("t1", command_id=id_of(1)), at=NOW)
shard.simulated(other)                    the account's past under another catalog
"""

from collections.abc import Mapping
from typing import Any

from airside.adapters.memory_event_store import MemoryEventStore
from airside.adapters.memory_log import MemoryLog
from airside.log import KeyValue
from commands.account import Account
from commands.catalog import Catalog
from commands.differing import Difference
from commands.handler import ShardHandler
from commands.license_decider import DECIDER
from commands.receive import receive
from commands.simulate import Simulated, Simulator, decisions
from commands.snapshots import load_stream
from schemas.codec import CODEC
from schemas.commands import OpenAccount, RegisterDevice
from schemas.envelope import Command, Event
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC
from tests.kit.happenings import NOW, id_of

ACCOUNT = "a1"
OPENING = 20_000  # the ids of the commands that a household begins with
STEPS_MAX = 50


class LicenseShard:
    """Shard 0 of 1. Every catalog that it decided by is kept, by version."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.catalogs: dict[int, Catalog] = {}
        self.log = MemoryLog(lambda: self.now_at)
        self.log.create_topic(COMMANDS_TOPIC, 1)
        self.log.create_topic(EVENTS_TOPIC, 1)
        self.store = MemoryEventStore()
        self.now_at = NOW
        self._handler = ShardHandler(
            shard=0,
            shards=1,
            decider=DECIDER,
            codec=CODEC,
            store=self.store,
            source=self.log.source(COMMANDS_TOPIC, 0),
            open_publisher=lambda: self.log.publisher(EVENTS_TOPIC, 0),
            context=lambda: self.catalog,
        )

    @classmethod
    def household(cls, catalog: Catalog) -> "LicenseShard":
        """The account of tests/kit/given.py: open, in GB, with three devices."""
        shard = cls(catalog)
        shard.do(
            OpenAccount(**_usual(OPENING), plan_id="standard", country="GB"),
            *(
                RegisterDevice(
                    **_usual(OPENING + n),
                    device_id=f"d{n}",
                    model="tablet",
                    drm="widevine",
                    security_level=1,
                )
                for n in (1, 2, 3)
            ),
        )
        return shard

    @property
    def account(self) -> Account:
        """The account as it stands."""
        return load_stream(self.store, DECIDER, CODEC, ACCOUNT).state

    def do(self, *commands: Command, at: int = NOW) -> None:
        """Send commands and have them handled."""
        self._do([(one.account_id.encode(), CODEC.encode(one)) for one in commands], at)

    def do_raw(self, *values: bytes, at: int = NOW) -> None:
        """Send anything with the account's key, and have it handled."""
        self._do([(ACCOUNT.encode(), value) for value in values], at)

    def _do(self, records: list[KeyValue], at: int) -> None:
        self.now_at = at
        self.catalogs[self.catalog.version] = self.catalog
        self.log.append(COMMANDS_TOPIC, 0, records)
        for _ in range(STEPS_MAX):
            step = self._handler.step()
            if not (step.polled or step.blocked or step.counts.redriven):
                return
        raise AssertionError(f"{STEPS_MAX} steps, and still not idle")

    def history(self) -> list[bytes]:
        """The account's events."""
        return [event.data for event in self.store.history(ACCOUNT)]

    def events(self) -> list[Event]:
        """The same, decoded."""
        return [CODEC.decode_event(data) for data in self.history()]

    def asked(self) -> list[Command]:
        """The commands on the topic that can be read."""
        records = self.log.records(COMMANDS_TOPIC, 0)
        received = [receive(record, 0, 1, CODEC) for record in records]
        return [item.command for item in received if item.command is not None]

    def outcomes(self) -> dict[str, tuple[object, ...]]:
        """What each command came to, by id, without what a handler stamps on it."""
        return {d.command_id: tuple(map(_facts, d.events)) for d in decisions(self.events())}

    def simulated(
        self,
        other: Catalog | Mapping[int, Catalog],
        control: Mapping[int, Catalog] | None = None,
    ) -> Simulated:
        """The past under another catalog, or others by version."""
        others = dict.fromkeys(self.catalogs, other) if isinstance(other, Catalog) else other
        catalogs = self.catalogs if control is None else control
        simulator = Simulator(DECIDER, CODEC, catalogs.__getitem__, others.__getitem__)
        return simulator.simulate(ACCOUNT, self.history(), self.asked())


def told(found: Simulated) -> list[tuple[str, str, str]]:
    """Its other outcomes: (command number, kind, rule and code after or before)."""
    assert found.left_out is None, found.why
    others = [one for one in found.differences if one.kind != "other_terms"]
    return [(str(int(one.command_id, 16)), one.kind, _code(one)) for one in others]


def _code(one: Difference) -> str:
    refusal = one.after.refusal or one.before.refusal
    return "" if refusal is None else f"{refusal.rule} {refusal.code}".strip()


def _facts(event: Event) -> object:
    names = [name for name in event.__struct_fields__ if name not in Event.__struct_fields__]
    return type(event), [getattr(event, name) for name in names]


def _usual(n: int) -> dict[str, Any]:
    return {"command_id": id_of(n), "account_id": ACCOUNT, "issued_at": NOW}
