"""What if, over shards: who is looked at, who is left out, and what is added up."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from airside import simulating
from airside.adapters.memory_event_store import MemoryEventStore
from airside.adapters.memory_log import MemoryLog
from airside.simulating import Asked, Past, entries_of, simulate
from airside.simulation_report import Report
from commands.catalog import Catalog
from commands.catalog_file import parse_catalog
from commands.handler import ShardHandler
from commands.license_decider import DECIDER
from commands.snapshots import NO_SNAPSHOT
from schemas.codec import CODEC
from schemas.commands import AcquireLicense, OpenAccount, RegisterDevice
from schemas.errors import Invalid, NotFound
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, EVENTS_TOPIC, Record, shard_of
from tests.kit.happenings import NOW, id_of

SHARDS = 2
CATALOG = {
    "policies": {"p": {"title.max_downloads": 2}, "q": {"extends": "p"}},
    "studios": {"s1": {"name": "First", "policy": "q"}},
    "titles": {"t1": {"name": "One", "studio_id": "s1"}},
}
ACCOUNTS = tuple(f"a{n}" for n in range(8))


def file(most: int | None = 1, name: str = "p") -> bytes:
    return json.dumps({"policies": {name: {"title.max_downloads": most}}}).encode()


class World:
    """Eight accounts in two shards; account n asks for a title n times."""

    def __init__(self) -> None:
        self.log, self.store = MemoryLog(lambda: NOW), MemoryEventStore()
        self.log.create_topic(COMMANDS_TOPIC, SHARDS)
        self.log.create_topic(EVENTS_TOPIC, SHARDS)
        self.log.create_topic(CATALOG_TOPIC, 1)
        self.records = [
            (key.encode(), value) for key, value in parse_catalog(json.dumps(CATALOG).encode())
        ]
        self.log.append(CATALOG_TOPIC, 0, self.records)
        self.begins: dict[int, int] = {}  # what retention has left of the commands topic
        for n, account_id in enumerate(ACCOUNTS):
            self.ask(account_id, n)
        for shard in range(SHARDS):
            self.handle(shard)

    def ask(self, account_id: str, count: int) -> None:
        usual: dict[str, Any] = {"account_id": account_id, "issued_at": NOW}
        commands = [
            OpenAccount(command_id=id_of(1), plan_id="standard", country="DE", **usual),
            RegisterDevice(
                command_id=id_of(2),
                device_id="d1",
                model="tablet",
                drm="widevine",
                security_level=1,
                **usual,
            ),
        ]
        commands += [
            AcquireLicense(command_id=id_of(3 + n), device_id="d1", title_id="t1", **usual)
            for n in range(count)
        ]
        records = [(account_id.encode(), CODEC.encode(one)) for one in commands]
        self.log.append(COMMANDS_TOPIC, shard_of(account_id, SHARDS), records)

    def handle(self, shard: int) -> None:
        catalog = Catalog.empty().with_entries(
            [(key.decode(), value) for key, value in self.records], len(self.records)
        )
        handler = ShardHandler(
            shard=shard,
            shards=SHARDS,
            decider=DECIDER,
            codec=CODEC,
            store=self.store,
            source=self.log.source(COMMANDS_TOPIC, shard),
            open_publisher=lambda: self.log.publisher(EVENTS_TOPIC, shard),
            context=lambda: catalog,
        )
        while handler.step().polled:
            pass

    @property
    def past(self) -> Past:
        return Past(
            shards=SHARDS,
            stretch=lambda shard: (
                self.begins.get(shard, 0),
                len(self.log.records(COMMANDS_TOPIC, shard)),
            ),
            records=self._read,
            histories=self._histories,
            accounts=self._accounts,
        )

    def simulate(self, policy: bytes | None = None, **asked: Any) -> Report:
        return simulate(self.past, policy or file(), Asked(**asked))

    def _read(self, topic: str, partition: int) -> Iterator[list[Record]]:
        begin = self.begins.get(partition, 0) if topic == COMMANDS_TOPIC else 0
        yield self.log.records(topic, partition)[begin:]

    def _histories(self, names: Sequence[str]) -> Mapping[str, list[bytes]]:
        loaded = self.store.load(names, NO_SNAPSHOT)
        return {name: [event.data for event in loaded[name].events] for name in names}

    def _accounts(self, shard: int) -> Iterator[str]:
        found = self.store.read(shard, after_seq=0, count_max=1_000_000)
        return (event.account_id for event in found)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def test_all_accounts_are_added_up(world: World) -> None:
    found = world.simulate()

    assert (found.accounts, found.decisions, found.left_out) == (8, 2 * 8 + 28, [])
    assert found.kinds["now_refused"] == found.differing_accounts - 1 == 6
    assert found.same == found.decisions - sum(found.kinds.values())
    assert [(one.kind, one.rule, one.code, one.count) for one in found.rules] == [
        ("now_refused", "R14", "TITLE_PERIOD_LIMIT", 6)
    ]


def test_the_first_by_time_are_shown_with_the_words_of_the_product(world: World) -> None:
    found = world.simulate(shown=2)

    assert [(one.account_id, one.command) for one in found.differences] == [
        ("a2", "AcquireLicense"),
        ("a3", "AcquireLicense"),
    ]
    first = found.differences[0]
    assert (first.before.verdict, first.after.code) == ("accepted", "TITLE_PERIOD_LIMIT")
    assert "The limit of the studio was 1, and 1 of it were used." in first.after.explanation
    assert first.catalog_version == len(world.records)


def test_groups_of_any_size_come_to_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = world.simulate()
    monkeypatch.setattr(simulating, "GROUP_RECORDS", 7)
    monkeypatch.setattr(simulating, "LOADED_ACCOUNTS", 2)

    assert world.simulate() == whole


def test_one_account_is_looked_at_alone(world: World) -> None:
    found = world.simulate(account_id="a5")

    assert (found.accounts, found.decisions, found.kinds["now_refused"]) == (1, 7, 1)


def test_an_account_that_never_was_is_not_known(world: World) -> None:
    with pytest.raises(NotFound, match="account zz: no command of it was ever decided"):
        world.simulate(account_id="zz")


def test_a_sample_is_the_same_every_time_and_a_larger_one_contains_it(world: World) -> None:
    samples = [simulating._chosen(world.past, Asked(sample=n)) for n in (3, 3, 5, 99)]

    assert samples[0] == samples[1]
    assert [len(some or ()) for some, _ in samples] == [3, 3, 5, 8]
    assert (samples[0][0] or set()) < (samples[2][0] or set())
    assert [in_all for _, in_all in samples] == [8, 8, 8, 8]


def test_a_sample_counts_only_its_own(world: World) -> None:
    found = world.simulate(sample=3)

    assert (found.accounts, found.accounts_in_all) == (3, 8)


def test_what_retention_has_taken_is_counted_and_named_and_never_guessed() -> None:
    world = World()
    shard = shard_of("a7", SHARDS)
    of_shard = [name for name in ACCOUNTS if shard_of(name, SHARDS) == shard]
    world.begins[shard] = len(world.log.records(COMMANDS_TOPIC, shard)) - 1

    found = world.simulate()

    (left,) = found.left_out
    assert (left.why, left.accounts, found.accounts) == ("COMMANDS_GONE", len(of_shard), 8)
    assert "version 1" in left.some["a7"]
    assert found.kinds["now_refused"] + len(of_shard) < 8


def test_a_decision_by_a_catalog_that_was_compacted_away_is_left_out() -> None:
    world = World()
    catalog = world.log.records(CATALOG_TOPIC, 0)
    (offset, at, key, value) = catalog[1]
    catalog[1:2] = []
    catalog.append((len(world.records), at, key, value))

    found = world.simulate()

    assert [(left.why, left.accounts) for left in found.left_out] == [("CATALOG_GONE", 8)]
    assert (offset, found.decisions) == (1, 0)


def test_commands_that_wait_for_a_handler_are_no_decisions_yet() -> None:
    world = World()
    world.ask("new", 2)

    assert world.simulate() == World().simulate()


def test_an_account_with_a_damaged_history_is_left_out() -> None:
    world = World()
    stored = world.store._accounts["a3"]
    stored[1] = replace(stored[1], data=b"?")

    (left,) = world.simulate().left_out

    assert (left.why, list(left.some)) == ("HISTORY", ["a3"])


def test_progress_is_told_to_its_end(world: World) -> None:
    heard: list[tuple[int, int]] = []

    simulate(world.past, file(), Asked(), lambda done, total: heard.append((done, total)))

    assert (heard[0], heard[-1]) == ((0, 44), (44, 44))
    assert heard == sorted(heard)


# the file


def test_a_file_that_says_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="says nothing"):
        entries_of(b"{}", Catalog.empty())


def test_a_policy_that_nobody_knows_is_refused_with_what_was_meant(world: World) -> None:
    with pytest.raises(Invalid, match="no policy 'pp', did you mean 'p'"):
        world.simulate(file(name="pp"))


def test_a_new_policy_may_come_with_the_scope_that_uses_it() -> None:
    both = {
        "policies": {"new": {}, "newer": {"extends": "new"}},
        "plans": {"standard": {"policy": {"extends": "newer"}}},
    }

    assert sorted(entries_of(json.dumps(both).encode(), Catalog.empty())) == [
        "plan/standard",
        "policy/new",
        "policy/newer",
    ]
