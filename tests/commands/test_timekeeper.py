"""The timekeeper fires each expiry once, however often it is asked."""

from collections.abc import Sequence

from commands.timekeeper import DUE_MAX, RESEND_AFTER_MS, Due, Timekeeper, expiry_of
from schemas.commands import ExpireLicense
from schemas.envelope import Command

NOW = 1_800_000_000_000
DUE = Due(license_id="a" * 32, account_id="a1", due_at=NOW - 5)


def keeper(due: Sequence[Due]) -> tuple[Timekeeper, list[Command]]:
    sent: list[Command] = []
    return Timekeeper(lambda _: due, sent.extend), sent


def test_what_is_due_is_sent_with_an_id_made_of_license_and_instant() -> None:
    timekeeper, sent = keeper([DUE])
    assert timekeeper.tick(NOW) == 1
    assert sent == [expiry_of(DUE, NOW)]
    assert isinstance(sent[0], ExpireLicense)
    assert sent[0].command_id == expiry_of(DUE, NOW + 99).command_id


def test_another_instant_of_the_same_license_is_another_command() -> None:
    later = Due(license_id=DUE.license_id, account_id="a1", due_at=DUE.due_at + 1)
    assert expiry_of(later, NOW).command_id != expiry_of(DUE, NOW).command_id


def test_it_is_not_sent_again_while_the_read_model_catches_up() -> None:
    timekeeper, sent = keeper([DUE])
    timekeeper.tick(NOW)
    assert timekeeper.tick(NOW + RESEND_AFTER_MS - 1) == 0
    assert len(sent) == 1


def test_it_is_sent_again_with_the_next_id_when_nothing_came_of_it() -> None:
    timekeeper, sent = keeper([DUE])
    timekeeper.tick(NOW)
    assert timekeeper.tick(NOW + RESEND_AFTER_MS) == 1
    assert sent[1] == expiry_of(DUE, NOW + RESEND_AFTER_MS, attempt=1)
    assert sent[0].command_id != sent[1].command_id


def test_what_never_comes_of_it_is_asked_for_less_and_less_often() -> None:
    timekeeper, sent = keeper([DUE])
    fired = [timekeeper.tick(NOW + minute * 60_000) for minute in range(60 * 24)]
    assert sum(fired) == len(sent) == 11


def test_what_is_stuck_does_not_keep_others_from_their_turn() -> None:
    stuck = [Due(f"{n:032x}", "held", NOW) for n in range(DUE_MAX)]
    due = list(stuck)
    timekeeper, sent = keeper(due)
    timekeeper.tick(NOW)
    due.append(Due("f" * 32, "a1", NOW))
    assert timekeeper.tick(NOW + 1_000) == 1
    assert sent[-1].account_id == "a1"


def test_a_restarted_timekeeper_sends_the_same_ids() -> None:
    first, sent_first = keeper([DUE])
    second, sent_second = keeper([DUE])
    first.tick(NOW)
    second.tick(NOW + 1_000)
    assert sent_first[0].command_id == sent_second[0].command_id


def test_one_tick_is_bounded_and_the_next_goes_on() -> None:
    due = [Due(f"{n:032x}", "a1", NOW) for n in range(DUE_MAX + 3)]
    timekeeper, sent = keeper(due)
    assert timekeeper.tick(NOW) == DUE_MAX
    assert timekeeper.tick(NOW) == 3
    assert len({wish.command_id for wish in sent}) == DUE_MAX + 3
