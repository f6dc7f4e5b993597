"""What a world needs of a domain: its decider, its projections, and somebody who asks.

DOMAIN = Domain(decider=…, context=Rules, command=ask, projections=(TALLIES,), poison=…)
run(7, 2_000, domain=DOMAIN)          airside/world/running.py
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from commands.decider import Context, Decider
from projectors.projection import Projection
from schemas.envelope import Command


@dataclass(frozen=True, slots=True)
class Asking:
    """Of whom a command is, and when it is given."""

    command_id: str
    account_id: str
    issued_at: int  # ms, by the client's clock


@dataclass(frozen=True, slots=True)
class Domain:
    """Everything in it is deterministic: chance comes from the `random.Random` alone."""

    decider: Decider[Any, Any]
    context: Callable[[int], Context]  # the rules as of a version; 1 is the first
    command: Callable[[random.Random, Asking], Command]  # one that a client may send
    projections: tuple[Projection[Any], ...]
    accounts: tuple[str, ...] = ("a", "b", "c", "d", "f")
    poison: dict[str, Callable[[Asking], Command]] = field(default_factory=dict)
    """`poison rule`: a command that `decide` raises at. `poison event`: one whose event a fold
    raises at. Either may be left out."""
    older: Decider[Any, Any] | None = None
    """Code of before that decides alike and keeps its state in another way."""
