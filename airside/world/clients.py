"""Who sends commands: members who ask, ask again, and break things; operators who clear up."""

from typing import Any

from airside.adapters.memory_log import MemoryLog
from airside.log import KeyValue
from airside.world.domain import Asking, Domain
from airside.world.fate import Fate
from schemas.codec import CODEC
from schemas.commands import DiscardParked, RedriveParked
from schemas.envelope import Command
from schemas.record import COMMANDS_TOPIC, shard_of

AT_ONCE_MAX = 4
DUPLICATE, POISON, RULE, EVENT, OPERATOR = 0.15, 0.02, 0.02, 0.02, 0.08
JUNK = b"not a command"


class Clients:
    """All of them."""

    def __init__(self, domain: Domain, log: MemoryLog, shards: int, fate: Fate) -> None:
        self._domain, self._log, self._shards, self._fate = domain, log, shards, fate
        self._sent: list[tuple[str, bytes]] = []  # account, value

    def ask(self, now_at: int) -> None:
        """Some commands, perhaps one of them again."""
        for _ in range(self._fate.random.randint(1, AT_ONCE_MAX)):
            account_id, value = self._next(now_at)
            self._sent.append((account_id, value))
            self.append([(account_id.encode(), value)])

    def append(self, records: list[KeyValue]) -> None:
        """Put records onto the topic, each in the partition of its key."""
        for key, value in records:
            shard = shard_of((key or b"").decode(), self._shards)
            self._log.append(COMMANDS_TOPIC, shard, [(key, value)])
            self._fate.tell("command", shard, key, value)

    def _next(self, now_at: int) -> tuple[str, bytes]:
        chance, fate = self._fate.random, self._fate
        who = Asking(fate.fresh_id(), chance.choice(self._domain.accounts), now_at)
        draw = chance.random()
        again = chance.choice(self._sent) if self._sent else None
        if draw < DUPLICATE:
            if again is not None and fate.strikes("duplicate command"):
                return again
        elif draw < DUPLICATE + POISON:
            if fate.strikes("poison command"):
                return who.account_id, JUNK
        elif draw < DUPLICATE + POISON + RULE:
            if made := self._poisonous("poison rule", who):
                return who.account_id, CODEC.encode(made)
        elif draw < DUPLICATE + POISON + RULE + EVENT:
            if made := self._poisonous("poison event", who):
                return who.account_id, CODEC.encode(made)
        elif draw < DUPLICATE + POISON + RULE + EVENT + OPERATOR:
            return who.account_id, CODEC.encode(self._operator(who))
        return who.account_id, CODEC.encode(self._domain.command(chance, who))

    def _poisonous(self, kind: str, who: Asking) -> Command | None:
        make = self._domain.poison.get(kind)
        return make(who) if make is not None and self._fate.strikes(kind) else None

    def _operator(self, who: Asking) -> Command:
        """Tries again what is parked, or gives one up: any offset, since most are wrong."""
        chance = self._fate.random
        common: dict[str, Any] = {
            "command_id": who.command_id,
            "account_id": who.account_id,
            "issued_at": who.issued_at,
        }
        if chance.random() < 0.4:
            return RedriveParked(**common)
        shard = shard_of(who.account_id, self._shards)
        records = self._log.records(COMMANDS_TOPIC, shard)
        junk = [r[0] for r in records if r[3] == JUNK and r[2] == who.account_id.encode()]
        offset = chance.choice(junk) if junk else len(records)
        return DiscardParked(**common, offset=offset, reason="spam")
