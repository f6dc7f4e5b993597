"""The index of accounts, against the shard's history."""

from msgspec.structs import replace

from tests.kit.estate import Estate


def told(faults: list[str]) -> list[str]:
    """Without the advice, which is the same in all."""
    return [fault.partition(" Accounts are")[0] for fault in faults]


def test_an_event_that_the_index_lacks_is_named() -> None:
    estate = Estate()
    del estate.shard.store._accounts["a"][2]
    assert told(estate.faults()) == ["index, account a, version 2: seq 3: the index lacks it."]


def test_an_account_that_is_not_in_the_index_is_named_event_by_event() -> None:
    estate = Estate()
    estate.shard.store._accounts["b"].clear()
    assert told(estate.faults("index")) == [
        "index, account b, version 1: seq 2: the index lacks it.",
        "index, account b, version 2: seq 5: the index lacks it.",
    ]


def test_other_bytes_in_the_index_are_named() -> None:
    estate = Estate()
    index = estate.shard.store._accounts["a"]
    index[1] = replace(index[1], data=b"other")
    (fault,) = told(estate.faults("index"))
    assert (
        fault == "index, account a, version 1: seq 1: the index has something else, as seq 1."
    )


def test_an_event_that_only_the_index_has_is_named() -> None:
    estate = Estate()
    index, history = estate.shard.store._accounts["b"], estate.shard.store._history[0]
    history[4] = index[3] = replace(history[4], version=3)
    (fault,) = told(estate.faults("index"))
    assert fault == "index, account b, version 2: seq 5: only the index has it."


def test_an_event_that_came_meanwhile_is_left_aside() -> None:
    estate = Estate()
    index = estate.shard.store._accounts["b"]
    index[3] = replace(index[2], version=3, seq=6)
    assert estate.faults("index") == []


def test_a_sample_says_that_it_is_one() -> None:
    (found,) = Estate().check("index", sample=1)
    assert found.compared == 1
    assert found.said == ["1 of 2 accounts, chosen at random"]
