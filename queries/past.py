"""A row as it was: the same fold over a history that ends earlier.

The caller brings the account's events (from its history or from the topic); any account-keyed
read model then answers as of a time in the past, by the `…_of` functions.
"""

from collections.abc import Iterable
from typing import TypeVar

from projectors.projection import Projection
from schemas.envelope import Event

V = TypeVar("V")


def row_at(
    projection: Projection[V], key: str, events: Iterable[Event], *, at: int
) -> V | None:
    """The row with this key after the last event at or before `at`; None: there was none."""
    row: V | None = None
    for event in events:
        fold = projection.folds.get(type(event))
        if event.at <= at and fold is not None and key in projection.keys(event):
            row = fold(projection.initial(key) if row is None else row, event)
    return row
