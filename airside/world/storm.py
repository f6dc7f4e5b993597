"""The storm: who is next, what goes wrong between their steps; and the calm behind it."""

from collections.abc import Callable, Mapping

from airside.handling import HALT_SECONDS, Handling
from airside.projecting import Projecting
from airside.world.world import MEMBERS, SHARDS, STEP_MS, World
from projectors.worker import LOOK_MS
from schemas.record import EVENTS_TOPIC

CLOCK_MS_MAX = 90_000
CALM_ROUNDS_MAX = 400
QUIET_ROUNDS = 3  # in a row, and all is done
DELETE_SHARE = 0.2
LAST_BLOW_SHARE = 0.3  # of the worlds
TIMEKEEPER_ROUNDS = 8  # of the calm: what stays parked is sent again for ever


class NeverCalmError(Exception):
    """Work is left over, though nothing goes wrong any more."""


class Storm:
    """Carries out so many steps on a world."""

    def __init__(self, world: World) -> None:
        self._world, self._fate = world, world.fate
        self._restore: Callable[[], None] = world.views.backup()
        self._actions: Mapping[str, tuple[int, Callable[[], object]]] = {
            "member": (60, self._member),
            "ask": (18, lambda: world.clients.ask(world.now_at)),
            "deliver": (24, self._deliver),
            "index": (12, lambda: world.store.index_next(self._shard())),
            "arrive": (3, world.arrive),
            "lose": (2, self._lose),
            "rebalance": (3, self._rebalance),
            "stop": (1, self._stop),
            "clock": (3, self._clock),
            "rules": (1, self._rules),
            "remember": (2, self._remember),
            "fall back": (2, self._fall_back),
            "rebuild": (2, self._rebuild),
            "roll back": (3, self._roll_back),
            "delete": (1, self._delete),
        }
        self._names = tuple(self._actions)
        self._weights = tuple(weight for weight, _ in self._actions.values())
        world.act = self._act

    def rage(self, steps: int) -> None:
        """So many steps, those of others in the middle of one included."""
        while self._world.steps < steps:
            self._act()

    def calm(self) -> None:
        """Nothing goes wrong any more: everything arrives, everybody works until all is done.

        The members are those of the storm: whatever they believe now, it must end well.
        Raises: NeverCalmError.
        """
        world = self._world
        is_last_blow = self._fate.random.random() < LAST_BLOW_SHARE
        is_last_blow = is_last_blow and self._fate.strikes("read models fall back")
        self._fate.is_calm = True
        for name, group in world.groups.items():
            group.next = frozenset(range(SHARDS) if name.endswith(" 0") else ())
        self._drain()
        if is_last_blow:  # and no event comes behind it that would tell
            self._restore()
            self._drain()

    def _drain(self) -> None:
        quiet, world = 0, self._world
        did: list[int] = []
        for number in range(CALM_ROUNDS_MAX):
            self._deliver_all()
            world.pass_ms(max(LOOK_MS, int(HALT_SECONDS * 1_000)) + 1)
            did = [
                world.turn(name)
                for name in world.names
                if number < TIMEKEEPER_ROUNDS or not name.startswith("timekeeper")
            ]
            quiet = 0 if any(did) else quiet + 1
            if quiet >= QUIET_ROUNDS and number >= TIMEKEEPER_ROUNDS:
                return
        raise NeverCalmError(f"after {CALM_ROUNDS_MAX} rounds there is still work: {did}.")

    def halted(self) -> list[str]:
        """What stands still, and why."""
        found: list[str] = []
        for member in self._world.members.values():
            if isinstance(member, Handling):
                found += [f"shard {shard}: {why}" for shard, why in member.halted.items()]
            elif isinstance(member, Projecting):
                found += member.halted.values()
        return found

    def _act(self) -> None:
        world = self._world
        world.steps += 1
        world.pass_ms(self._fate.random.randint(1, STEP_MS))
        name = self._fate.weighted(self._names, self._weights)
        self._fate.tell(name)
        self._actions[name][1]()

    def _member(self) -> None:
        name = self._fate.random.choice(self._world.names)
        self._fate.tell(name)
        self._world.turn(name)

    def _deliver(self) -> None:
        busy = [wire for wire in self._world.wires if wire.is_busy]
        if busy:
            chosen = self._fate.random.choice(busy)
            if len(busy) > 1 and chosen is not busy[0]:
                self._fate.strikes("partition overtaken")
            chosen.deliver(self._fate.random.randint(1, 3))

    def _lose(self) -> None:
        busy = [wire for wire in self._world.wires if wire.is_busy]
        kind = self._fate.random.choice(("acknowledgement lost", "records lost on the way"))
        if busy and self._fate.strikes(kind):
            wire = self._fate.random.choice(busy)
            if kind == "acknowledgement lost":
                wire.deliver(1, acknowledge=False)
            wire.fail()

    def _rebalance(self) -> None:
        """A shard of one role goes to somebody else, with or without the old owner knowing."""
        chance = self._fate.random
        role, shard = chance.choice(("handler", "projector")), self._shard()
        winner = chance.randrange(MEMBERS)
        kind = chance.choice(("rebalance", "two owners"))
        if not self._fate.strikes(kind):
            return
        for number in range(MEMBERS):
            group = self._world.groups[f"{role} {number}"]
            if number == winner:
                group.next |= {shard}
            elif kind == "rebalance":
                group.next -= {shard}

    def _stop(self) -> None:
        free = [name for name in self._world.names if name not in self._world.busy]
        if free and self._fate.strikes("stopped in good order"):
            self._world.stop(self._fate.random.choice(free))

    def _clock(self) -> None:
        chance, world = self._fate.random, self._world
        duration_ms = chance.randint(1_000, CLOCK_MS_MAX)
        kind = chance.choice(("clock forward", "clock forward", "clock back"))
        if self._fate.strikes(kind):
            if kind == "clock forward":
                world.pass_ms(duration_ms)
            else:
                world.now_at -= duration_ms // 3

    def _rules(self) -> None:
        if self._fate.strikes("rules change"):
            self._world.version += 1

    def _remember(self) -> None:
        self._restore = self._world.views.backup()

    def _fall_back(self) -> None:
        if self._fate.strikes("read models fall back"):
            self._restore()

    def _rebuild(self) -> None:
        self._world.rebuild()

    def _roll_back(self) -> None:
        self._world.roll_back()

    def _delete(self) -> None:
        """What retention does: in few worlds, since less can be checked behind it."""
        shard = self._shard()
        records = self._world.log.records(EVENTS_TOPIC, shard)
        is_wanted = self._fate.random.random() < DELETE_SHARE and records
        if is_wanted and self._fate.strikes("old events deleted"):
            before = self._fate.random.choice(records)[0]
            self._world.log.delete(EVENTS_TOPIC, shard, before)

    def _deliver_all(self) -> None:
        self._world.arrive()
        self._world.store.index_all()
        for wire in self._world.wires:
            wire.deliver(1_000_000)

    def _shard(self) -> int:
        return self._fate.random.randrange(SHARDS)
