"""The world as a whole: its shape, and that it is the same again from the same seed."""

from collections import Counter
from itertools import pairwise
from typing import get_args

from airside.demo.stage import DAY, HOUR, SECOND
from schemas.codec import CODEC
from schemas.commands import AcquireLicense, AnyCommand, ExpireLicense
from schemas.events import PlaybackReported
from tests.airside.demo.service import START_AT, a_world, live, two_months


def test_the_same_seed_sends_the_same_commands() -> None:
    first, second = (live(a_world(households=20), 8) for _ in range(2))
    assert first.sent == second.sent


def test_another_seed_sends_other_commands() -> None:
    first, second = (live(a_world(households=20, seed=seed), 2) for seed in (1, 2))
    assert first.sent != second.sent


def test_the_order_in_which_accounts_are_heard_of_changes_nothing() -> None:
    one_way = live(a_world(households=20), 8)
    other_way = live(a_world(households=20), 8, accounts_reversed=True)
    assert one_way.sent == other_way.sent


def test_commands_arrive_in_order() -> None:
    assert all(earlier <= later for (earlier, _), (later, _) in pairwise(two_months().sent))


def test_commands_arrive_between_the_last_step_and_this_one() -> None:
    assert all(last_at < at <= now_at for last_at, at, now_at in two_months().spans)


def test_the_first_day_is_the_busiest() -> None:
    per_day = Counter((at - START_AT) // DAY for at, _ in two_months().sent)
    assert 8_000 < per_day[0] < 12_000
    assert max(per_day[day] for day in range(2, 60)) < per_day[0] / 8


def test_two_months_are_tens_of_thousands_of_commands() -> None:
    assert 25_000 < len(two_months().sent) < 40_000


def test_people_watch_in_the_evening() -> None:
    per_hour = Counter((at % DAY) // HOUR for at, _ in two_months().sent)
    evening = sum(per_hour[hour] for hour in (18, 19, 20, 21))
    night = sum(per_hour[hour] for hour in (1, 2, 3, 4))
    assert evening > 4 * night


def test_a_few_titles_are_wanted_by_most() -> None:
    wanted = Counter(
        command.title_id
        for _, command in two_months().sent
        if isinstance(command, AcquireLicense)
    )
    top_six = sum(count for _, count in wanted.most_common(6))
    assert top_six > wanted.total() / 3
    assert len(wanted) >= 60


def test_impatient_clients_repeat_the_very_same_command() -> None:
    sent = two_months().sent
    ids = Counter(command.command_id for _, command in sent)
    objects = {id(command) for _, command in sent}
    assert len(objects) == len(ids)
    assert 0.05 < 1 - len(ids) / len(sent) < 0.2


def test_most_clocks_are_right_and_some_are_not() -> None:
    errors = [abs(command.issued_at - at) for at, command in two_months().sent]
    right = sum(error < 3 * SECOND for error in errors)
    assert 0.75 < right / len(errors) < 0.95  # repeats are late by their nature
    assert max(errors) > DAY


def test_every_command_that_clients_have_is_sent() -> None:
    kinds = {type(command) for _, command in two_months().sent}
    assert kinds == set(get_args(AnyCommand)) - {ExpireLicense}


def test_every_command_is_valid() -> None:
    distinct = {command.command_id: command for _, command in two_months().sent}.values()
    assert [CODEC.decode_command(CODEC.encode(one)) for one in distinct] == list(distinct)


def test_playbacks_of_a_flight_are_reported_in_bulk_and_late() -> None:
    reports = [e for e in two_months().service.events if isinstance(e, PlaybackReported)]
    stale = [report for report in reports if report.at - report.started_at > 6 * HOUR]
    in_bulk = Counter((report.account_id, report.at // (5 * 60 * SECOND)) for report in stale)
    assert len(stale) > 100
    assert max(in_bulk.values()) >= 3


def test_ordinary_households_meet_many_kinds_of_refusal() -> None:
    met = {
        code
        for account_id, code in two_months().service.refusals()
        if account_id.startswith("home-")
    }
    assert len(met) >= 15


def test_most_of_what_is_asked_is_accepted() -> None:
    outcomes = two_months().service.outcomes
    assert outcomes["accepted"] > 5 * outcomes["refused"]
