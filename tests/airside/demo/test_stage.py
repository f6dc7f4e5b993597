"""The stage: stories on one clock."""

from random import Random

from airside.demo.stage import DAY, HOUR, MINUTE, SECOND, Party, Reply, Stage, Story
from schemas.commands import EraseAccount
from schemas.envelope import Command, Event
from schemas.events import AccountErased, AccountSuspended, CommandRefused

START_AT = 1_000 * DAY


def party(number: int = 1) -> Party:
    return Party(number, Random(number))


def wish(n: int) -> Command:
    return EraseAccount(command_id=f"{n:032x}", account_id="a1", issued_at=START_AT)


def outcome(n: int, *, at: int = START_AT) -> Event:
    return AccountErased(command_id=f"{n:032x}", account_id="a1", at=at)


def first_sent(stage: Stage, until_at: int) -> list[tuple[int, Command]]:
    """What was sent, without what impatience repeats."""
    seen: dict[str, tuple[int, Command]] = {}
    for at, command in stage.advance(until_at):
        seen.setdefault(command.command_id, (at, command))
    return list(seen.values())


def waits_and_asks(n: int, wait_ms: int) -> Story:
    yield wait_ms
    yield wish(n)


def asks_twice(heard: list[Reply]) -> Story:
    heard.append((yield wish(1)))
    heard.append((yield wish(2)))


def test_commands_come_in_the_order_of_their_time() -> None:
    stage = Stage(START_AT)
    stage.begin(party(1), waits_and_asks(1, 2 * HOUR))
    stage.begin(party(2), waits_and_asks(2, 1 * HOUR))
    sent = first_sent(stage, START_AT + DAY)
    assert sent == [(START_AT + HOUR, wish(2)), (START_AT + 2 * HOUR, wish(1))]


def test_what_lies_after_now_is_not_sent_yet() -> None:
    stage = Stage(START_AT)
    stage.begin(party(), waits_and_asks(1, 2 * HOUR))
    assert stage.advance(START_AT + HOUR) == []


def test_a_story_goes_on_with_the_events_of_its_command() -> None:
    stage, heard = Stage(START_AT), list[Reply]()
    stage.begin(party(), asks_twice(heard))
    stage.advance(START_AT)
    stage.observe(outcome(1))
    stage.observe(AccountSuspended(command_id=wish(1).command_id, account_id="a1", reason=""))
    stage.advance(START_AT + MINUTE)
    assert [type(event) for event in heard[0].events] == [AccountErased, AccountSuspended]


def test_a_story_does_not_go_on_without_an_answer() -> None:
    stage, heard = Stage(START_AT), list[Reply]()
    stage.begin(party(), asks_twice(heard))
    stage.advance(START_AT + DAY)
    assert heard == []


def test_a_story_goes_on_within_seconds_of_its_answer() -> None:
    stage = Stage(START_AT)
    stage.begin(party(), asks_twice([]))
    stage.advance(START_AT)
    stage.observe(outcome(1, at=START_AT + HOUR))
    [(at, _)] = first_sent(stage, START_AT + DAY)[-1:]
    assert START_AT + HOUR < at < START_AT + HOUR + 4 * SECOND


def test_a_second_outcome_of_the_same_command_is_ignored() -> None:
    stage, heard = Stage(START_AT), list[Reply]()
    stage.begin(party(), asks_twice(heard))
    stage.advance(START_AT)
    stage.observe(outcome(1))
    stage.advance(START_AT + MINUTE)
    stage.observe(outcome(1))
    stage.advance(START_AT + DAY)
    assert len(heard) == 1


def test_an_impatient_client_sends_the_very_same_command_again() -> None:
    stage, someone = Stage(START_AT), party()
    wishes = [wish(n) for n in range(1_000)]
    for command in wishes:
        stage.send(someone, command)
    repeats = stage.advance(START_AT + DAY)[1_000:]
    assert {id(command) for _, command in repeats} < {id(command) for command in wishes}
    assert 60 < len(repeats) < 200


def test_a_stuck_client_sends_a_command_again_days_later() -> None:
    stage, someone = Stage(START_AT), party()
    for n in range(2_000):
        stage.send(someone, wish(n))
    stage.advance(START_AT + DAY)
    assert 1 < len(stage.advance(START_AT + 21 * DAY)) < 40


def test_the_order_in_which_shards_answer_does_not_matter() -> None:
    def told(first: int, second: int) -> list[tuple[int, Command]]:
        stage = Stage(START_AT)
        stage.begin(party(1), both(1))
        stage.begin(party(2), both(2))
        stage.advance(START_AT)
        stage.observe(outcome(first))
        stage.observe(outcome(second))
        return stage.advance(START_AT + DAY)

    def both(n: int) -> Story:
        yield wish(n)
        yield wish(10 + n)

    assert told(1, 2) == told(2, 1)


def test_a_reply_knows_its_refusal() -> None:
    refusal = CommandRefused(command_type="EraseAccount", code="ACCOUNT_CLOSED", rule="R01")
    assert Reply((refusal,)).code == "ACCOUNT_CLOSED"
    assert Reply().code is None
