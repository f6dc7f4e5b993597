"""Fate: one seed decides who is next, what the clock says, and what goes wrong where.

TABLE says which kinds of fault may hit which step. A kind that is switched off is still drawn
and then left out, so that a failing run can be shortened without becoming another one at once.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

CRASHES = ("crash before", "crash after")
PAUSES = ("paused before", "paused after")
READ = ("unavailable", "crash before", "paused after")
WRITE = (*CRASHES, *PAUSES, "unavailable", "unanswered")
CONDITIONAL = (*WRITE, "lost", "late")
BETWEEN: Final = "between steps"

TABLE: Mapping[str, tuple[str, ...]] = {
    "poll commands": (*READ, "answers late"),
    "poll events": (*READ, "answers late"),
    "resume": READ,
    "load accounts": READ,
    "look ahead": READ,
    "commit": CONDITIONAL,
    "was it applied": READ,
    "settle": WRITE,
    "save snapshots": WRITE,
    "read parked commands": READ,
    "read history": READ,
    "hand over events": CRASHES,
    "send expiries": WRITE,
    "read rows": READ,
    "save rows": CONDITIONAL,
    "read parked events": READ,
    "read registry": READ,
    "change registry": WRITE,
    "drop rows": WRITE,
    BETWEEN: (
        "duplicate command",
        "poison command",
        "poison rule",
        "poison event",
        "acknowledgement lost",
        "records lost on the way",
        "partition overtaken",
        "rebalance",
        "two owners",
        "stopped in good order",
        "read models fall back",
        "clock forward",
        "clock back",
        "rules change",
        "older code",
        "old events deleted",
        "promotion",
        "rollback",
    ),
}
"""step -> the kinds of fault that may happen there."""

KINDS: tuple[str, ...] = tuple(dict.fromkeys(k for kinds in TABLE.values() for k in kinds))

OFTEN: Mapping[str, int] = {
    "commit": 4,  # what all rests on
    "save rows": 2,
    "settle": 4,  # and what is seldom done
    "save snapshots": 4,
    "read history": 4,
    "send expiries": 8,
    "change registry": 4,
    "drop rows": 10,
}
"""So many times as often as other steps these are struck."""

FAULT_RATES = (0.005, 0.02, 0.05, 0.1)  # of the steps: a world has one of them

Cell = tuple[str, str]
"""A step and a kind of fault."""

CELLS: tuple[Cell, ...] = tuple((step, kind) for step, kinds in TABLE.items() for kind in kinds)


class Fate:
    """The one source of chance of a world, what it has struck, and a digest of all of it."""

    def __init__(self, seed: int, *, off: Iterable[str] = ()) -> None:
        self.random = random.Random(seed)
        self._fault_rate = self.random.choice(FAULT_RATES)
        self.struck: Counter[Cell] = Counter()
        self.is_calm = False
        self._off = frozenset(off)
        self._digest = hashlib.blake2b(digest_size=16)

    @property
    def trace(self) -> str:
        """A digest of everything that was told so far: two runs with the same one are one."""
        return self._digest.hexdigest()

    def tell(self, *words: object) -> None:
        """Something happened."""
        self._digest.update(repr(words).encode())

    def at(self, step: str) -> str:
        """What goes wrong at this step; nothing, as a rule: the empty string."""
        self.tell(step)
        if self.is_calm or self.random.random() >= self._fault_rate * OFTEN.get(step, 1):
            return ""
        kind = self.random.choice(TABLE[step])
        return kind if self.strikes(kind, step) else ""

    def strikes(self, kind: str, step: str = BETWEEN) -> bool:
        """Whether a fault that was drawn happens: it is counted, unless it is off."""
        if self.is_calm or kind in self._off:
            return False
        self.struck[step, kind] += 1
        self.tell(step, kind)
        return True

    def fresh_id(self) -> str:
        """An id that no other is like."""
        return f"{self.random.getrandbits(128):032x}"

    def weighted(self, names: Sequence[str], weights: Sequence[int]) -> str:
        """One of these names."""
        return self.random.choices(names, weights)[0]
