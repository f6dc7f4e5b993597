"""What a catalog file says otherwise than the catalog in use, key by key.

An entry of the file replaces the whole entry: keys that it does not name hold no more.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct, structs

from commands.catalog import Catalog
from commands.catalog_entries import Entry
from commands.policy import Said

Change = Literal["dropped", "changed", "added"]


class KeyChange(Struct, frozen=True):
    """One key of one entry that the file says otherwise; None where it is not said."""

    entry: str  # `policy/standard`
    key: str  # of a policy; `policy.KEY` of one that a scope has written out; or a field
    change: Change
    before: Any
    after: Any


def key_changes(entries: Mapping[str, Entry | None], catalog: Catalog) -> list[KeyChange]:
    """What these entries, by key, would change in a catalog; what is dropped comes first."""
    found = [
        change
        for entry, body in entries.items()
        for change in _changes(entry, _keys_of(_in_use(catalog, entry)), _keys_of(body))
    ]
    return sorted(found, key=lambda one: one.change != "dropped")


def _changes(
    entry: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[KeyChange]:
    for key in (*before, *(key for key in after if key not in before)):
        old, new = before.get(key), after.get(key)
        if key not in after:
            yield KeyChange(entry, key, "dropped", old, None)
        elif key not in before:
            yield KeyChange(entry, key, "added", None, new)
        elif old != new:
            yield KeyChange(entry, key, "changed", old, new)


def _in_use(catalog: Catalog, entry: str) -> Entry | None:
    kind, _, name = entry.partition("/")
    sections: Mapping[str, Mapping[str, Entry]] = {
        "policy": catalog.policies,
        "plan": catalog.plans,
        "studio": catalog.studios,
        "title": catalog.titles,
    }
    return catalog.service if kind == "service" else sections[kind].get(name)


def _keys_of(entry: Entry | None) -> Mapping[str, Any]:
    """Everything that an entry says, flat."""
    if entry is None:
        return {}
    if isinstance(entry, Said):
        more = {"extends": entry.extends, "override": sorted(entry.override)}
        return {**entry.values, **{key: value for key, value in more.items() if value}}
    said = structs.asdict(entry)
    source = said.pop("policy")
    if isinstance(source, Said):
        said |= {f"policy.{key}": value for key, value in _keys_of(source).items()}
    elif source is not None:
        said["policy"] = source
    return said
