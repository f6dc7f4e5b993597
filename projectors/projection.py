"""A projection is a decider that cannot decide: a pure fold of events into rows.

Everything else (storage, exactly-once, replay, generations, by-key query, command line) comes
free. A row is a msgspec Struct; its JSON is what `redis-cli` shows and what a query answers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, TypeVar

from schemas.envelope import Event

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Projection(Generic[V]):
    """One read model.

    `keys(event)` names the rows that an event touches (none: it is skipped). For each, the
    engine calls the event type's fold, `folds[type](row, event)`, and keeps what it returns;
    None deletes the row. A fold may change the row in place and depends on nothing but its two
    arguments. Events of other types are never decoded.

    `reads` names every field that `keys` and the folds look at, in any event: only these (and
    `seq`) are decoded, and reading another raises AttributeError. None: events come whole.

    A fan-in projection (keyed by something other than the account) has one sub-row per shard;
    `merge` makes one answer of them.
    """

    name: str
    row_type: type[V]
    initial: Callable[[str], V]  # key -> the row before its first event
    keys: Callable[[Any], tuple[str, ...]]
    folds: Mapping[type[Event], Callable[[V, Any], V | None]]
    reads: tuple[str, ...] | None = None
    merge: Callable[[Iterable[V]], V] | None = None
    modules: tuple[ModuleType, ...] = ()  # whose source is part of the fold
