"""Three small projections over real events, to test the read side's engine with.

`tallies` has a row per account, `plans` is a fan-in over accounts, and `moves` touches two rows
with most of its events. A suspension with the reason POISON cannot be folded.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from projectors.projection import Projection
from schemas import events
from schemas.envelope import Event

POISON = "poison"


class Tally(Struct):
    """Everything that was folded into a row, in order."""

    count: int = 0
    seqs: list[int] = field(default_factory=list)


def counted(row: Tally, event: Any) -> Tally:
    row.count += 1
    row.seqs.append(event.seq)
    return row


def suspended(row: Tally, event: Any) -> Tally:
    row = counted(row, event)  # half of the work is done before the poison shows
    if event.reason == POISON:
        raise ValueError("a poisonous suspension")
    return row


def erased(row: Tally, event: Any) -> None:
    return None


def left(row: Tally, event: Any) -> Tally:
    row.seqs.append(-event.seq)
    return row


def of_account(event: Any) -> tuple[str, ...]:
    return (event.account_id,)


def of_plan(event: Any) -> tuple[str, ...]:
    return (event.plan_id,)


def of_both_plans(event: Any) -> tuple[str, ...]:
    return (event.plan_id, event.previous_plan_id)


def merged(rows: Iterable[Tally]) -> Tally:
    rows = list(rows)
    return Tally(
        sum(row.count for row in rows), sorted(seq for row in rows for seq in row.seqs)
    )


def empty(key: str) -> Tally:
    return Tally()


TALLIES = Projection(
    name="tallies",
    row_type=Tally,
    initial=empty,
    keys=of_account,
    folds={
        events.PlanChanged: counted,
        events.AccountSuspended: suspended,
        events.AccountErased: erased,
    },
    reads=("account_id", "reason"),
)

PLANS = Projection(
    name="plans",
    row_type=Tally,
    initial=empty,
    keys=of_plan,
    folds={events.PlanChanged: counted},
    reads=("plan_id",),
    merge=merged,
)

MOVES = Projection(
    name="moves",
    row_type=Tally,
    initial=empty,
    keys=of_both_plans,
    folds={events.PlanChanged: counted},
    reads=None,
    merge=merged,
)


def plan_changed(account_id: str, plan_id: str = "basic", previous: str = "ads") -> Event:
    return events.PlanChanged(account_id=account_id, plan_id=plan_id, previous_plan_id=previous)


def suspension(account_id: str, reason: str = "") -> Event:
    return events.AccountSuspended(account_id=account_id, reason=reason)


def reinstatement(account_id: str) -> Event:
    """No toy projection folds it."""
    return events.AccountReinstated(account_id=account_id, reason="")


def erasure(account_id: str) -> Event:
    return events.AccountErased(account_id=account_id)


def plain_fold(projection: Projection[Any], history: Sequence[Event]) -> dict[str, bytes]:
    """The rows that a history means: the projection's folds and nothing else."""
    rows: dict[str, Any] = {}
    for event in history:
        if type(event) in projection.folds:
            for key in projection.keys(event):
                before = rows.get(key) or projection.initial(key)
                rows[key] = projection.folds[type(event)](before, event)
    return {key: msgspec.json.encode(row) for key, row in rows.items() if row is not None}
