"""Heals rows in place, under the workers' eyes: those of one account, or of one partition.

The served generation's rows, and those of every other one that workers keep up to date, are
made what the history says. No new generation is built; see `airside/checking/repair.py` for how
it is done beside workers that have the old rows in memory.
"""

from collections.abc import Sequence
from typing import Any

from airside.checking.found import Meter, Report, Sides
from airside.checking.repair import Healed, heal
from projectors.batch import Reader
from projectors.fingerprint import fold_fingerprint
from projectors.generations import followed, serving
from projectors.parking import NO_ROW, CarefulReader
from projectors.projection import Projection
from schemas.errors import NotFound
from schemas.record import shard_of


def heal_account(
    sides: Sides,
    projection: Projection[Any],
    account_id: str,
    report: Report = lambda done, total: None,
) -> list[Healed]:
    """The rows that any event of the account touches, by generation.

    Of a fan-in projection these are the sub-rows in the account's shard. The whole shard is
    folded for it, in memory. Raises: NotFound if the account has no event, or nothing is
    served; Unavailable; Moved where workers are too busy with the rows.
    """
    shard = shard_of(account_id, sides.shards)
    keys = _keys_of(sides, projection, account_id, shard)
    return _heal(sides, projection, shard, keys, report)


def heal_partition(
    sides: Sides,
    projection: Projection[Any],
    shard: int,
    report: Report = lambda done, total: None,
) -> list[Healed]:
    """All rows of a shard, by generation.

    Raises: NotFound if there is no such shard, or nothing is served; Unavailable; Moved.
    """
    if not 0 <= shard < sides.shards:
        raise NotFound(f"partition {shard}: there are partitions 0 to {sides.shards - 1}.")
    return _heal(sides, projection, shard, None, report)


def _heal(
    sides: Sides,
    projection: Projection[Any],
    shard: int,
    keys: Sequence[str] | None,
    report: Report,
) -> list[Healed]:
    """In every generation that workers keep up to date; the served one is there or said."""
    registry = sides.views.registry(projection.name)
    served, fingerprint = serving(registry), fold_fingerprint(projection, sides.codec)
    ours = [g for g in followed(registry) if g.fingerprint == fingerprint]
    meter = Meter(sum(sides.views.rows(g, shard, ()).checkpoint.seq for g in ours), report)
    done = [heal(sides, (projection, g), shard, keys, told=meter.add) for g in ours]
    if served not in ours:
        why = f"it was built by other code. Run: airside replay {projection.name}"
        done.append(Healed(served.name, shard, given_up=why))
    return done


def _keys_of(
    sides: Sides, projection: Projection[Any], account_id: str, shard: int
) -> Sequence[str]:
    """Every row that events of the account touch. Raises: NotFound if it has none."""
    sides.store.resume(shard)  # all that is committed is in the accounts' index
    reader = CarefulReader(projection, Reader(projection, sides.codec))
    keys: dict[str, None] = {}
    version = 0
    for event in sides.store.history(account_id):
        version = event.version
        record = (0, 0, account_id.encode(), event.data)
        keys |= reader.gather([record], event.seq - 1, 0)[0].changed
    if not version:
        raise NotFound(
            f"account {account_id:.60}: unknown, shard {shard} has no event of it. Check the "
            "id; a row that no event made is found by "
            f"airside replay {projection.name} --partition {shard}"
        )
    return [key for key in keys if key != NO_ROW]
