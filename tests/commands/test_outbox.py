"""The outbox: first in, first out, and everything again after a failure."""

import pytest

from airside.adapters.memory_log import MemoryLog
from airside.world.slow_publisher import SlowPublisher
from commands.event_store import StoredEvent
from commands.log import EventPublisher
from commands.outbox import Outbox
from schemas.errors import PublishFailed, Unavailable
from schemas.record import EVENTS_TOPIC


class Wire:
    """The events topic, and every publisher that was opened to it."""

    def __init__(self) -> None:
        self.log = MemoryLog(lambda: 0)
        self.log.create_topic(EVENTS_TOPIC, 1)
        self.opened: list[SlowPublisher] = []
        self.is_down = False

    def open(self) -> EventPublisher:
        if self.is_down:
            raise Unavailable("nobody there.")
        self.opened.append(SlowPublisher(self.log))
        return self.opened[-1]

    @property
    def topic(self) -> str:
        return "".join(
            (value or b"").decode() for *_, value in self.log.records(EVENTS_TOPIC, 0)
        )


def events(letters: str) -> list[StoredEvent]:
    return [StoredEvent(n, "a", n, letter.encode()) for n, letter in enumerate(letters, 1)]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def outbox(wire: Wire) -> Outbox:
    outbox = Outbox(wire.open, published_through=3)
    outbox.put(4, events("ab"))
    outbox.put(5, events("c"))
    outbox.pump()
    return outbox


def test_nothing_is_published_before_it_is_acknowledged(outbox: Outbox) -> None:
    assert outbox.published_through == 3


def test_commits_are_published_as_their_last_record_is_acknowledged(
    outbox: Outbox, wire: Wire
) -> None:
    wire.opened[0].deliver(1)
    outbox.pump()
    assert outbox.published_through == 3
    wire.opened[0].deliver(1)
    outbox.pump()
    assert outbox.published_through == 4
    wire.opened[0].deliver(1)
    outbox.pump()
    assert outbox.published_through == 5
    assert wire.topic == "abc"


def test_a_commit_without_events_is_published_when_its_turn_comes(
    outbox: Outbox, wire: Wire
) -> None:
    outbox.put(6, [])
    outbox.pump()
    assert outbox.published_through == 3
    wire.opened[0].deliver(3)
    outbox.pump()
    assert outbox.published_through == 6


def test_without_events_no_publisher_is_needed(wire: Wire) -> None:
    outbox = Outbox(wire.open, published_through=0)
    outbox.put(1, [])
    outbox.pump()
    assert outbox.published_through == 1


def test_after_a_failure_everything_unacknowledged_is_sent_again_in_order(
    outbox: Outbox, wire: Wire
) -> None:
    wire.opened[0].deliver(1)
    outbox.pump()
    wire.opened[0].fail()
    outbox.pump()
    outbox.put(6, events("d"))
    outbox.pump()
    wire.opened[1].deliver(9)
    outbox.pump()
    assert wire.topic == "abcd"
    assert outbox.published_through == 6


def test_what_was_put_in_before_the_failure_was_seen_still_comes_last(
    outbox: Outbox, wire: Wire
) -> None:
    wire.opened[0].fail()
    outbox.put(6, events("d"))
    outbox.pump()
    outbox.pump()
    wire.opened[1].deliver(9)
    assert wire.topic == "abcd"


def test_a_lost_acknowledgement_means_sending_that_record_and_all_behind_it_again(
    outbox: Outbox, wire: Wire
) -> None:
    wire.opened[0].deliver(2, acknowledge=False)
    wire.opened[0].fail()
    outbox.pump()
    outbox.pump()
    wire.opened[1].deliver(9)
    assert wire.topic == "ab" + "abc"


def test_the_failed_publisher_is_closed_before_another_is_opened(
    outbox: Outbox, wire: Wire
) -> None:
    wire.opened[0].fail()
    outbox.pump()
    wire.opened[0].send([(b"a", b"!")])
    wire.opened[0].deliver(9)
    assert wire.topic == ""
    assert outbox.reopened == 1


def test_where_no_publisher_can_be_opened_nothing_is_lost(outbox: Outbox, wire: Wire) -> None:
    wire.opened[0].fail()
    outbox.pump()
    wire.is_down = True
    with pytest.raises(Unavailable):
        outbox.pump()
    wire.is_down = False
    outbox.pump()
    wire.opened[1].deliver(9)
    assert wire.topic == "abc"


def test_a_closed_outbox_sends_nothing_more(outbox: Outbox, wire: Wire) -> None:
    outbox.close()
    wire.opened[0].deliver(9)
    assert wire.topic == ""


def test_publishers_that_bring_nothing_onto_the_topic_are_told_of_and_nothing_is_lost(
    outbox: Outbox, wire: Wire
) -> None:
    wire.opened[0].fail()
    outbox.pump()
    outbox.pump()
    wire.opened[1].fail()
    with pytest.raises(PublishFailed):
        outbox.pump()
    outbox.pump()
    wire.opened[2].deliver(9)
    outbox.pump()
    assert (wire.topic, outbox.published_through) == ("abc", 5)
