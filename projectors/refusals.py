"""Refusals by code, across accounts: how many, when last, by which rule, of which command."""

import sys
from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field

from projectors.projection import Projection
from schemas import events


class Refusals(Struct, gc=False, omit_defaults=True):
    """The row of one code."""

    count: int = 0
    last_at: int = 0
    by_rule: dict[str, int] = field(default_factory=dict)
    by_command: dict[str, int] = field(default_factory=dict)


def refused(row: Refusals, event: Any) -> Refusals:
    """One more."""
    row.count += 1
    row.last_at = max(row.last_at, event.at)
    row.by_rule[event.rule] = row.by_rule.get(event.rule, 0) + 1
    row.by_command[event.command_type] = row.by_command.get(event.command_type, 0) + 1
    return row


def merged(rows: Iterable[Refusals]) -> Refusals:
    """The sum over all shards."""
    total = Refusals()
    for row in rows:
        total.count += row.count
        total.last_at = max(total.last_at, row.last_at)
        for rule, count in row.by_rule.items():
            total.by_rule[rule] = total.by_rule.get(rule, 0) + count
        for command, count in row.by_command.items():
            total.by_command[command] = total.by_command.get(command, 0) + count
    return total


PROJECTION: Projection[Refusals] = Projection(
    name="refusals",
    row_type=Refusals,
    initial=lambda _: Refusals(),
    keys=lambda event: (event.code,),
    folds={events.CommandRefused: refused},
    reads=("at", "code", "rule", "command_type"),
    merge=merged,
    modules=(sys.modules[__name__],),
)
