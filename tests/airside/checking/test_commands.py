"""Every command that was taken has left a trace."""

from tests.kit.counter import add, discard, id_of
from tests.kit.estate import Estate
from tests.kit.shard import JUNK


def lost(estate: Estate, seq: int) -> None:
    """The event of a seq is nowhere; another one has its numbers."""
    store = estate.shard.store
    event = store._history[0][seq - 1]
    other = store._history[0][0]
    store._history[0][seq - 1] = other
    store._accounts[event.account_id][event.version] = other


def test_a_command_without_any_trace_is_named() -> None:
    estate = Estate()
    lost(estate, 5)
    assert estate.faults("commands") == [
        f"commands, offset 5: lost: GrantAllowance {id_of(4)} of account b left no event. "
        "Send it again."
    ]


def test_a_record_that_is_neither_parked_nor_discarded_is_named() -> None:
    estate = Estate()
    estate.shard.store._parked[0].clear()
    (fault,) = estate.faults("commands")
    assert fault.startswith("commands, offset 4: neither parked nor discarded. UNREADABLE:")


def test_what_was_discarded_has_its_trace_in_a_note() -> None:
    estate = Estate()
    estate.shard.send(discard(60, 4, account="c"))
    estate.shard.drain()
    assert estate.shard.parked() == []
    assert estate.faults("commands") == []


def test_what_is_parked_behind_another_has_a_trace() -> None:
    estate = Estate()
    estate.shard.send(add(61, account="c"))
    estate.shard.send_raw(None, JUNK)
    estate.shard.drain()
    assert estate.faults("commands") == []


def test_a_topic_that_is_an_older_copy_is_named() -> None:
    estate = Estate()
    estate.shard.log.records("commands", 0).pop()
    (fault,) = estate.faults("commands")
    assert fault.startswith(
        "commands, offset 6: the history goes on there, the topic ends at 5"
    )
