"""The decider of license accounting: what the engine is given to run this domain."""

from commands import account, device, evolve, license, title
from commands.account import Account
from commands.catalog import Catalog
from commands.decide import decide
from commands.decider import Decider


def clock_tolerance_ms(catalog: Catalog) -> int:
    """R26: how far a client's clock may be ahead; the service alone says it, no plan does."""
    return catalog.policy("", None).clock_max_skew_s * 1000


DECIDER: Decider[Account, Catalog] = Decider(
    initial=account.initial,
    evolve=evolve.evolve,
    decide=decide,
    clock_tolerance_ms=clock_tolerance_ms,
    state_type=Account,
    # what is remembered and how it is folded, and no rule: a new rule keeps every snapshot
    fold_modules=(account, device, evolve, license, title),
)
