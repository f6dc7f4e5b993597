"""A commit's payload comes back as it was, and says what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airside.adapters.cassandra_payload import Content, Payloads
from airside.adapters.cassandra_requests import (
    ACCOUNT_BYTES_MAX,
    GROUP_ACCOUNTS_MAX,
    GROUP_BYTES_MAX,
    GROUP_ROWS_MAX,
    groups,
)
from commands.event_store import Commit, Parked, StoredEvent
from schemas.errors import TooLarge, Unreadable
from tests.contracts.event_store import Author

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
rows = st.lists(st.tuples(texts, st.integers(1, 2**31 - 1), st.binary(max_size=3_000)))
records = st.builds(
    Parked, st.integers(0, 2**62), texts, st.integers(0, 2**48), texts, st.binary(max_size=900)
)


def events_of(found: list[tuple[str, int, bytes]], first_seq: int) -> tuple[StoredEvent, ...]:
    return tuple(StoredEvent(first_seq + n, *row) for n, row in enumerate(found))


def commit_of(events: tuple[StoredEvent, ...], first_seq: int, **rest: object) -> Commit:
    return Commit(0, 1, "id", first_seq, 0, 0, events, **rest)  # type: ignore[arg-type]


@given(rows, st.integers(1, 2**40), st.lists(records), st.lists(st.integers(0, 2**62)))
def test_what_is_encoded_is_decoded_as_it_was(
    found: list[tuple[str, int, bytes]], seq: int, parked: list[Parked], unparked: list[int]
) -> None:
    content = Content(events_of(found, seq), tuple(parked), tuple(unparked))
    commit = commit_of(content.events, seq, parked=content.parked, unparked=content.unparked)
    assert Payloads().decode(Payloads().encode(commit), seq) == content


def test_the_same_commit_is_encoded_to_the_same_bytes() -> None:
    commit = Author().commit(*"abcabc" * 50)
    assert Payloads().encode(commit) == Payloads().encode(commit)


def test_bytes_that_were_once_written_stay_readable() -> None:
    plain = b"\x01\x95\x91\xa1a\x91\x02\x91\xc4\x01x\x90\x91\x07"
    compressed = bytes.fromhex("0228b52ffd200d6900009591a161910291c40178909107")
    expected = Content((StoredEvent(5, "a", 2, b"x"),), (), (7,))
    assert Payloads().decode(plain, 5) == expected
    assert Payloads().decode(compressed, 5) == expected


def test_a_format_of_a_newer_version_is_said_so() -> None:
    with pytest.raises(Unreadable, match="newer"):
        Payloads().decode(b"\x07whatever", 1)


@pytest.mark.parametrize("damage", [b"", b"\x01", b"\x01\x93", b"\x02", b"\x02not zstd"])
def test_damage_is_said_so(damage: bytes) -> None:
    with pytest.raises(Unreadable):
        Payloads().decode(damage, 1)


def test_a_payload_over_its_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airside.adapters.cassandra_payload.PAYLOAD_BYTES_MAX", 100)
    with pytest.raises(TooLarge, match="at most 100 fit one write"):
        Payloads().encode(Author().commit(*[f"account {n * n}" for n in range(99)]))


def weight(group: list[StoredEvent]) -> int:
    return sum(len(event.data) for event in group)


@given(rows, st.sampled_from([None, len]))
def test_every_event_is_in_one_group_and_no_group_is_too_much(
    found: list[tuple[str, int, bytes]], primary: None
) -> None:
    events = events_of(found, 1)
    made = list(groups(events, primary))
    assert sorted((e for group in made for e in group), key=lambda e: e.seq) == list(events)
    together = [group for group in made if len({e.account_id for e in group}) > 1]
    assert all(len({e.account_id for e in group}) <= GROUP_ACCOUNTS_MAX for group in together)
    assert all(weight(group) <= GROUP_BYTES_MAX for group in together)
    assert all(len(group) <= GROUP_ROWS_MAX for group in made)
    assert all(len(group) == 1 or weight(group) <= ACCOUNT_BYTES_MAX for group in made)


def test_accounts_of_different_nodes_do_not_travel_together() -> None:
    events = Author().commit(*"abcdef" * 2).events
    made = groups(events, lambda account_id: account_id in "ace")
    assert [{event.account_id for event in group} for group in made] == [
        {"a", "c", "e"},
        {"b", "d", "f"},
    ]
