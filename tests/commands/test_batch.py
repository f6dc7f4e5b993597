"""A batch: records in, one commit out, and nothing else touched."""

from collections.abc import Mapping

from commands.batch import Batch, BatchHandler, Before, Counts
from commands.event_store import Position
from commands.receive import Received
from commands.stream import Stream
from schemas import commands
from schemas.codec import CODEC
from schemas.envelope import Command, Event
from schemas.errors import Permanent, Unreadable
from tests.kit.counter import COUNTER, NOW, TOLERANCE_MS, Count, Rules, add, id_of, suspend

POSITION = Position(number=6, seq=40, next_offset=100, settled=2)
Streams = Mapping[str, Stream[Count] | Permanent]


def initial(*account_ids: str) -> Streams:
    return {account_id: Stream(account_id, Count(account_id)) for account_id in account_ids}


def records(*wishes: Command, at: int = NOW) -> list[Received]:
    return [
        Received(100 + n, at, wish.account_id, CODEC.encode(wish), wish)
        for n, wish in enumerate(wishes)
    ]


def handled(
    *wishes: Command,
    at: int = NOW,
    streams: Streams | None = None,
    held: Mapping[str, int] | None = None,
    bytes_max: int = 1_000_000,
) -> Batch[Count]:
    before = Before(
        shard=0,
        shards=1,
        position=POSITION,
        settled=5,
        streams=streams or initial("a", "b"),
        held=held or {},
    )
    handler = BatchHandler(before, COUNTER, CODEC, Rules(version=9))
    return handler.handle(records(*wishes, at=at), "id", bytes_max)


def events(batch: Batch[Count]) -> list[Event]:
    return [CODEC.decode_event(event.data) for event in batch.commit.events]


def wish(command_type: type[Command], n: int = 1) -> Command:
    fields = {"command_id": id_of(n), "account_id": "a", "issued_at": NOW}
    more = {"device_id": "d"} if "device_id" in command_type.__struct_fields__ else {}
    return command_type(**fields, **more)  # type: ignore[arg-type]


# the commit


def test_a_batch_is_one_commit_that_follows_the_last_one() -> None:
    commit = handled(add(1), add(2, account="b")).commit
    assert (commit.number, commit.first_seq, commit.settled) == (7, 41, 5)
    assert commit.next_offset == 102
    assert [(e.seq, e.account_id, e.version) for e in commit.events] == [
        (41, "a", 1),
        (42, "b", 1),
    ]


def test_events_carry_the_envelope_of_their_command() -> None:
    event = events(handled(add(1, issued_at=NOW - 5), at=NOW + 1))[0]
    assert (event.seq, event.version, event.at, event.issued_at) == (41, 1, NOW + 1, NOW - 5)
    assert (event.catalog_version, event.command_id) == (9, id_of(1))
    assert (event.account_id, event.actor) == ("a", "member")


def test_a_batch_of_repeats_is_a_commit_without_events() -> None:
    stream = handled(add(1)).streams["a"]
    batch = handled(add(1), add(1), streams={"a": stream})
    assert batch.commit.events == ()
    assert batch.commit.next_offset == 102
    assert batch.counts == Counts(repeats=2)


def test_time_never_runs_backwards_in_an_account() -> None:
    later = handled(add(1), at=NOW + 1_000).streams["a"]
    assert events(handled(add(2), at=NOW, streams={"a": later}))[0].at == NOW + 1_000


def test_what_is_given_stays_as_it_was() -> None:
    streams, held = initial("a"), {"b": 3}
    batch = handled(add(1), add(2, account="b"), streams=streams, held=held)
    assert streams == initial("a")
    assert held == {"b": 3}
    assert batch.streams["a"].version == 1


def test_a_batch_ends_behind_the_record_that_fills_the_commit() -> None:
    batch = handled(add(1), add(2), add(3), bytes_max=100)
    assert batch.consumed == 2
    assert batch.commit.next_offset == 102
    assert batch.counts.accepted == 2


def test_one_record_is_always_handled() -> None:
    assert handled(add(1), add(2), bytes_max=1).consumed == 1


# counts


def test_counts_say_what_became_of_each_record() -> None:
    batch = handled(
        add(1),
        add(1),
        add(2, count=0),
        add(3, count=5_000),
        wish(commands.CloseAccount, 4),
        suspend(5, "decide"),
        add(6),
    )
    assert batch.counts == Counts(
        accepted=2, refused=1, noted=1, repeats=1, parked=2, redriven=0, events=6
    )


def test_a_command_with_one_success_and_one_refusal_is_accepted() -> None:
    assert handled(wish(commands.RenewDevice)).counts == Counts(accepted=1, events=2)


def test_a_command_with_a_refusal_and_no_success_is_refused() -> None:
    assert handled(wish(commands.RemoveDevice)).counts == Counts(refused=1, events=2)


# repeats, staleness, clocks


def test_a_repeat_within_the_batch_yields_nothing() -> None:
    batch = handled(add(1), add(2), add(1))
    assert batch.streams["a"].state.total == 2
    assert len(batch.commit.events) == 2


def test_a_command_no_younger_than_what_is_forgotten_is_refused_as_stale() -> None:
    stream = Stream("a", Count("a"), forgotten_until=NOW)
    (event,) = events(handled(add(1, issued_at=NOW), streams={"a": stream}))
    assert getattr(event, "code", "") == "COMMAND_STALE"


def test_a_command_younger_than_what_is_forgotten_is_decided() -> None:
    stream = Stream("a", Count("a"), forgotten_until=NOW - 1)
    assert handled(add(1, issued_at=NOW), streams={"a": stream}).counts.accepted == 1


def test_the_first_command_ever_is_not_stale_even_at_the_beginning_of_time() -> None:
    assert handled(add(1, issued_at=0)).counts.accepted == 1


def test_a_clock_within_the_tolerance_is_believed() -> None:
    assert handled(add(1, issued_at=NOW + TOLERANCE_MS)).counts.accepted == 1


def test_a_clock_too_far_ahead_is_refused() -> None:
    (event,) = events(handled(add(1, issued_at=NOW + TOLERANCE_MS + 1)))
    assert (getattr(event, "code", ""), getattr(event, "rule", "")) == ("CLOCK_SKEW", "R26")
    assert str(NOW + TOLERANCE_MS + 1) in getattr(event, "detail", "")


def test_an_absurd_time_is_not_remembered_so_that_nothing_becomes_stale_by_it() -> None:
    batch = handled(add(1, issued_at=NOW + 10**10))
    assert events(batch)[0].issued_at == NOW
    assert batch.streams["a"].recent.items() == [(id_of(1), NOW)]


# parking


def reasons(batch: Batch[Count]) -> list[str]:
    return [f"{p.offset} {p.account_id} {p.reason}" for p in batch.commit.parked]


def test_a_decider_that_raises_parks_the_command_with_the_bug() -> None:
    (reason,) = reasons(handled(suspend(1, "decide")))
    assert reason.startswith("100 a DECIDER_FAILED: KeyError: 'no such thing' (counter.py:")


def test_a_fold_that_raises_half_way_keeps_nothing_of_the_command() -> None:
    batch = handled(add(1), suspend(2, "evolve"))
    assert "DECIDER_FAILED: ValueError" in reasons(batch)[0]
    assert batch.streams["a"].state.total == 1
    assert [event.seq for event in batch.commit.events] == [41]


def test_a_decider_without_an_outcome_is_a_bug() -> None:
    assert "returned no event" in reasons(handled(wish(commands.EraseAccount)))[0]


def test_an_event_that_no_topic_takes_is_never_stored() -> None:
    batch = handled(suspend(1, "large"), add(2, account="b"))
    assert reasons(batch)[0].startswith("100 a TOO_LARGE: 2 events of 10")
    assert [event.account_id for event in batch.commit.events] == ["b"]


def test_what_follows_a_parked_command_waits_behind_it_and_others_go_on() -> None:
    batch = handled(suspend(1, "decide"), add(2), add(3, account="b"), add(4))
    assert reasons(batch)[1:] == ["101 a BEHIND: offset 100", "103 a BEHIND: offset 100"]
    assert batch.held == {"a": 100}
    assert batch.counts == Counts(accepted=1, parked=3, events=1)


def test_a_key_held_before_is_still_held() -> None:
    batch = handled(add(1), held={"a": 17})
    assert reasons(batch) == ["100 a BEHIND: offset 17"]
    assert batch.held == {"a": 17}


def test_an_account_whose_history_cannot_be_read_is_parked() -> None:
    streams: Streams = {"a": Unreadable("unknown schema"), **initial("b")}
    batch = handled(add(1), add(2), add(3, account="b"), streams=streams)
    assert reasons(batch) == ["100 a HISTORY: unknown schema", "101 a BEHIND: offset 100"]


def test_a_record_without_a_home_is_parked_and_holds_nothing() -> None:
    homeless = Received(100, NOW, "a", b"?", None, "WRONG_PARTITION: …", is_homeless=True)
    before = Before(0, 1, POSITION, 5, initial("a"), {})
    items = [homeless, *records(add(1))]
    batch = BatchHandler(before, COUNTER, CODEC, Rules()).handle(items, "id", 1_000)
    assert batch.held == {}
    assert batch.counts == Counts(accepted=1, parked=1, events=1)
