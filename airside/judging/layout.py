"""Whether event store, log and read models belong together."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from airside.judging.finding import Finding, counted

if TYPE_CHECKING:
    from projectors.view_store import Registry

ENGINE = "layout"


def judge(
    *,
    stored: int | None,
    history: str,
    partitions: Mapping[str, int],
    registries: Mapping[str, "Registry"],
) -> Iterator[Finding]:
    """Every finding about what each engine says of the other two.

    `stored` and `history` are the event store's, None and empty where it could not be asked;
    `partitions` are those of the topics that have one per shard; of what is not there, or could
    not be asked, nothing is said.
    """
    built = {name: one for name, one in registries.items() if one.generations}
    said = {} if stored is None else {"event store": stored}
    said |= {f"topic {topic}": count for topic, count in partitions.items()}
    shards = said | {name: one.shards for name, one in built.items() if one.shards}
    if shards:
        yield _shards(shards)
    if history and registries:
        yield _history(history, {name: one.history for name, one in built.items()})


def _shards(said: Mapping[str, int]) -> Finding:
    counts = set(said.values())
    if len(counts) == 1:
        alike = f"{counted(counts.pop(), 'shard')}, as {counted(len(said), 'place')} say"
        return Finding(ENGINE, "shards", alike)
    by_count: dict[int, list[str]] = {}
    for place, count in said.items():
        by_count.setdefault(count, []).append(place)
    found = "; ".join(f"{count} in {', '.join(by_count[count])}" for count in sorted(counts))
    advice = (
        "These engines do not belong together, so accounts would be looked for where they are "
        "not. Name those that were laid out together in AIRSIDE_EVENTS, AIRSIDE_LOG and "
        "AIRSIDE_VIEWS."
    )
    return Finding(ENGINE, "shards", found, "mend", advice)


def _history(history: str, of: Mapping[str, str]) -> Finding:
    if not of:
        return Finding(ENGINE, "history", "no read model is built yet")
    others = sorted(name for name, found in of.items() if found not in ("", history))
    if not others:
        return Finding(ENGINE, "history", f"{history}, the same in {len(of)} read models")
    advice = (
        f"Read models of another history: {', '.join(others)}. Projectors refuse them. Name "
        "another database in AIRSIDE_VIEWS, or the event store that these rows belong to."
    )
    found = f"{history} in the event store, {of[others[0]]} in {others[0]}"
    return Finding(ENGINE, "history", found, "mend", advice)
