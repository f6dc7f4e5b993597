"""What if: history's commands decided again under other policies; nothing is written.

That is so by construction: all that this module is given of the engines is `Past`, functions
that read. One shard after the other, its accounts in groups whose commands fit into memory; of
each group the histories are loaded first and the topic is read then, so that no decision is
seen whose command was not there yet.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from msgspec import Struct

from airside.checking.reading import records
from airside.log import Log
from airside.policy_changes import key_changes
from airside.simulation_report import Report, Tally
from airside.wiring import Deployment
from commands.catalog import Catalog
from commands.catalog_entries import Entry
from commands.catalog_file import parse_catalog
from commands.catalog_history import CatalogHistory
from commands.catalog_reading import meant, read_change
from commands.event_store import EventStore
from commands.license_decider import DECIDER
from commands.policy import Said
from commands.policy_keys import shown
from commands.receive import receive
from commands.simulate import Simulated, Simulator
from commands.snapshots import NO_SNAPSHOT
from schemas.codec import CODEC
from schemas.errors import Contradiction, Invalid, NotFound, TooLarge
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, Record, shard_of

GROUP_RECORDS = 100_000  # of the commands topic in memory at once, or one account's
LOADED_ACCOUNTS = 100  # whose histories are asked for at once
EVENTS_READ = 1_000  # at once, of a shard's history
SHOWN = 20  # differences
ALL_GONE = "the topic holds none of its commands any more."

OnProgress = Callable[[int, int], None]
"""Hears how many records of the commands topic are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is stored, as functions that read it and can do nothing else."""

    shards: int
    stretch: Callable[[int], tuple[int, int]]  # of the commands topic: first offset, end
    records: Callable[[str, int], Iterator[list[Record]]]  # (topic, partition), to its end
    histories: Callable[[Sequence[str]], Mapping[str, list[bytes]]]  # by account, whole
    accounts: Callable[[int], Iterator[str]]  # of every event of a shard


class Asked(Struct, frozen=True):
    """Which accounts, and how many differences are shown."""

    account_id: str | None = None
    sample: int | None = None  # accounts; None: all
    shown: int = SHOWN
    file: str = "the file"  # its name, for people


@contextmanager
def past(deployment: Deployment) -> Iterator[Past]:
    """The past of a deployment, closed behind it."""
    deployment.check_layout()
    with deployment.event_store() as store, deployment.log() as topics:
        yield Past(
            shards=deployment.shards,
            stretch=partial(_stretch, topics),
            records=partial(_records, topics),
            histories=partial(_histories, store),
            accounts=partial(_accounts, store),
        )


def simulate(
    past: Past, file: bytes, asked: Asked, report: OnProgress = lambda done, total: None
) -> Report:
    """Which decisions would differ under the entries of a catalog file, and why.

    The entries hold instead of those with the same keys, in every catalog that there was.
    Raises: Invalid, Contradiction where the file is none or changes nothing; NotFound for an
    account that is not known; Unavailable.
    """
    found = [record for some in past.records(CATALOG_TOPIC, 0) for record in some]
    catalogs = CatalogHistory(found)
    in_use = catalogs.at(catalogs.version)
    try:
        entries = entries_of(file, in_use)
    except (Invalid, Contradiction, TooLarge) as fault:
        raise type(fault)(f"{asked.file}: {fault}") from fault
    others = CatalogHistory(found, instead=entries)
    simulator = Simulator(DECIDER, CODEC, catalogs.at, others.at)
    only, in_all = _chosen(past, asked)
    homes = range(past.shards) if only is None else {shard_of(a, past.shards) for a in only}
    shards = sorted(homes)
    sizes = {shard: end - begin for shard, (begin, end) in _stretches(past, shards)}
    done, total, tally = 0, sum(sizes.values()), Tally(asked.shown)
    report(done, total)
    for shard in shards:
        counts, before = _known(past, shard, only), done
        for account_id, simulated in _shard(past, simulator, shard, counts):
            if simulated is not None:
                tally.add(account_id, simulated)
            done += counts[account_id]
            report(min(done, total - 1), total)  # more may have come since it was counted
        done = before + sizes[shard]
    report(total, total)
    return tally.report(entries, key_changes(entries, in_use), in_all)


def entries_of(file: bytes, catalog: Catalog) -> dict[str, Entry | None]:
    """The entries of a catalog file, by key.

    Raises: Invalid, Contradiction where it is none; Invalid where it says nothing, or names a
    policy that neither the catalog in use nor the file itself refers to: it changes nothing.
    """
    entries = {key: read_change(key, value) for key, value in parse_catalog(file)}
    if not entries:
        raise Invalid("The file says nothing. See examples/catalog.json for what it may say.")
    named = {_source(entry) for entry in entries.values()}
    for key in entries:
        kind, _, name = key.partition("/")
        if kind == "policy" and name not in catalog.policies and name not in named:
            close = meant(name, catalog.policies)
            raise Invalid(
                f"policies.{name}: the catalog in use has no policy {shown(name)}{close}, and "
                "nothing in the file refers to it, so it would change nothing. Correct the "
                "name, or write the scope that is to use it into the file too."
            )
    return entries


def _source(entry: Entry | None) -> str | None:
    """The name of the policy that an entry refers to."""
    source = entry if isinstance(entry, Said) or entry is None else entry.policy
    return source.extends if isinstance(source, Said) else source


def _chosen(past: Past, asked: Asked) -> tuple[Set[str] | None, int | None]:
    """The accounts to look at, None for all; and of how many, if they were counted."""
    if asked.account_id is not None:
        if not past.histories([asked.account_id])[asked.account_id]:
            raise NotFound(
                f"account {asked.account_id}: no command of it was ever decided. Check the id."
            )
        return {asked.account_id}, None
    if asked.sample is None:
        return None, None
    in_all = 0

    def everybody() -> Iterator[str]:
        nonlocal in_all
        for shard in range(past.shards):
            known = _known(past, shard, None)
            in_all += len(known)
            yield from known

    return set(heapq.nsmallest(asked.sample, everybody(), key=_lot)), in_all


def _lot(account_id: str) -> bytes:
    """An account's place in the order that samples are drawn in: the same every time."""
    return hashlib.sha256(account_id.encode()).digest()


def _known(past: Past, shard: int, only: Set[str] | None) -> Counter[str]:
    """The accounts of a shard, each with its number of records on the commands topic.

    Those that only history knows, since the topic has lost its beginning, have none.
    """
    counts: Counter[bytes] = Counter()
    for some in past.records(COMMANDS_TOPIC, shard):
        counts.update(key for _, _, key, _ in some if key is not None)
    known: Counter[str] = Counter()
    for key, count in counts.items():
        account_id = key.decode(errors="replace")
        if shard_of(account_id, past.shards) == shard and (only is None or account_id in only):
            known[account_id] = count
    begin, _ = past.stretch(shard)
    if begin:
        for account_id in past.accounts(shard) if only is None else only:
            if account_id not in known and shard_of(account_id, past.shards) == shard:
                known[account_id] = 0
    return known


def _shard(
    past: Past, simulator: Simulator[Any, Catalog], shard: int, counts: Mapping[str, int]
) -> Iterator[tuple[str, Simulated | None]]:
    """Every account, group by group; None for one of which nothing was decided yet."""
    for account_id in (name for name, count in counts.items() if not count):
        yield account_id, Simulated(left_out="COMMANDS_GONE", why=ALL_GONE)
    for group in _groups(counts):
        histories: dict[str, list[bytes]] = {}
        for n in range(0, len(group), LOADED_ACCOUNTS):
            histories.update(past.histories(group[n : n + LOADED_ACCOUNTS]))
        records: dict[bytes | None, list[Record]] = {name.encode(): [] for name in group}
        for some in past.records(COMMANDS_TOPIC, shard):
            for record in some:
                if record[2] in records:
                    records[record[2]].append(record)
        for account_id in group:
            history = histories.pop(account_id)
            found = records.pop(account_id.encode())
            received = [receive(one, shard, past.shards, CODEC) for one in found]
            commands = [item.command for item in received if item.command is not None]
            yield (
                account_id,
                simulator.simulate(account_id, history, commands) if history else None,
            )


def _groups(counts: Mapping[str, int]) -> Iterator[list[str]]:
    """Accounts that have GROUP_RECORDS records together, or one that has more."""
    group: list[str] = []
    size = 0
    for account_id, count in counts.items():
        if group and size + count > GROUP_RECORDS:
            yield group
            group, size = [], 0
        group += [account_id] * bool(count)
        size += count
    if group:
        yield group


def _stretches(past: Past, shards: Iterable[int]) -> Iterator[tuple[int, tuple[int, int]]]:
    return ((shard, past.stretch(shard)) for shard in shards)


def _stretch(topics: Log, shard: int) -> tuple[int, int]:
    with closing(topics.source(COMMANDS_TOPIC, shard)) as source:
        return source.begin(), source.end()


def _records(topics: Log, topic: str, partition: int) -> Iterator[list[Record]]:
    with closing(topics.source(topic, partition)) as source:
        end = source.end()
    return records(topics, topic, partition, end=end)


def _histories(store: EventStore, account_ids: Sequence[str]) -> dict[str, list[bytes]]:
    loaded = store.load(account_ids, NO_SNAPSHOT)
    return {name: [event.data for event in loaded[name].events] for name in account_ids}


def _accounts(store: EventStore, shard: int) -> Iterator[str]:
    seq = 0
    while found := store.read(shard, after_seq=seq, count_max=EVENTS_READ):
        yield from (event.account_id for event in found)
        seq = found[-1].seq
