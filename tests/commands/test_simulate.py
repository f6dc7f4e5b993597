"""History's commands under other policies, against households that really lived under them."""

from hypothesis import given, settings
from msgspec.structs import replace

from commands.catalog import Catalog
from commands.differing import Term
from commands.stream import RECENT_MAX
from schemas.codec import CODEC
from schemas.commands import (
    AcquireLicense,
    DiscardParked,
    RedriveParked,
    ReleaseLicense,
    RenewLicense,
)
from schemas.envelope import Command
from schemas.events import LicenseIssued
from tests.kit.given import acquire, catalog_of, command
from tests.kit.happenings import DAY, HOUR, NOW, id_of
from tests.kit.households import Deed, catalogs, command_of, deeds
from tests.kit.license_shard import LicenseShard, told

JUNK = b"no command"
FEW = settings(max_examples=40, deadline=None)


def ask(n: int, title_id: str = "t1", device_id: str = "d1", **fields: int) -> Command:
    return acquire(title_id, device_id, command_id=id_of(n), **fields)


def limited(most: int | None) -> Catalog:
    return catalog_of({} if most is None else {"title.max_downloads": most})


def downloads(catalog: Catalog, count: int = 3) -> LicenseShard:
    """A title downloaded so many times, with an hour between and nothing held."""
    shard = LicenseShard.household(catalog)
    for n in range(1, count + 1):
        shard.do(ask(n), at=NOW + n * HOUR)
        give_back(shard, 100 + n, shard.account.licenses, at=NOW + n * HOUR)
    return shard


def give_back(shard: LicenseShard, n: int, held: object, at: int) -> None:
    licenses = list(held) if isinstance(held, dict) else [id_of(9_999)]
    license_id = licenses[-1] if licenses else id_of(9_999)
    shard.do(command(ReleaseLicense, command_id=id_of(n), license_id=license_id), at=at)


def played(shard: LicenseShard, doing: list[Deed]) -> None:
    """Do all that, and every fourth command twice, as impatient clients do."""
    at = NOW
    for number, deed in enumerate(doing):
        at += deed.pause_ms
        wish = command_of(deed, shard.account, number, at)
        shard.do(*[wish] * (1 + (number % 4 == 3)), at=at)


# the policies of history


@FEW
@given(catalogs(), catalogs(), deeds(), deeds())
def test_the_very_policies_of_history_change_nothing(
    first: Catalog, second: Catalog, before: list[Deed], after: list[Deed]
) -> None:
    shard = LicenseShard.household(first)
    played(shard, before)
    shard.catalog = renamed(second, 6)
    shard.do(*(command_of(deed, shard.account, 500 + n, NOW) for n, deed in enumerate(after)))

    found = shard.simulated(shard.catalogs)

    assert (found.left_out, found.why, found.differences) == (None, "", ())
    assert found.decisions == len(shard.outcomes())


def renamed(catalog: Catalog, version: int) -> Catalog:
    return catalog.with_changes({}, version)


def test_what_was_parked_and_redriven_or_discarded_is_decided_as_it_was() -> None:
    shard = LicenseShard.household(limited(1))
    shard.do(ask(1))
    shard.do_raw(JUNK)
    shard.do(ask(2, "t2"), ask(3))
    shard.do(command(DiscardParked, command_id=id_of(4), offset=5, reason="spam"))
    shard.do(command(DiscardParked, command_id=id_of(5), offset=6, reason="no wish any more"))
    shard.do(command(RedriveParked, command_id=id_of(6)), at=NOW + DAY)

    assert [type(event).__name__ for event in shard.events()[-5:]] == [
        "CommandNoted",
        "CommandNoted",
        "CommandNoted",
        "CommandRefused",
        "CommandNoted",
    ]
    assert told(shard.simulated(limited(1))) == []
    assert told(shard.simulated(limited(2))) == [
        ("3", "now_accepted", "R14 TITLE_PERIOD_LIMIT")
    ]


# other policies


@FEW
@given(catalogs(), catalogs(), deeds())
def test_it_finds_what_really_differs_where_the_same_is_asked_under_other_policies(
    catalog: Catalog, other: Catalog, doing: list[Deed]
) -> None:
    shard, really = LicenseShard.household(catalog), LicenseShard.household(other)
    played(shard, doing)
    really.do(*shard.asked()[:4])
    for record in shard.log.records("commands", 0)[4:]:
        really.do_raw(record[3] or b"", at=record[1])

    found = shard.simulated(other)

    then, now = shard.outcomes(), really.outcomes()
    assert found.left_out is None
    assert [one.command_id for one in found.differences] == [
        command_id for command_id in then if then[command_id] != now[command_id]
    ]


def test_a_tighter_limit_refuses_exactly_the_download_beyond_it() -> None:
    shard = downloads(limited(None))

    found = shard.simulated(limited(2))

    assert told(found) == [
        ("3", "now_refused", "R14 TITLE_PERIOD_LIMIT"),
        ("103", "follows", "LICENSE_UNKNOWN"),
    ]


def test_a_looser_limit_accepts_what_was_refused() -> None:
    shard = downloads(limited(2))

    found = told(shard.simulated(limited(None)))

    assert ("3", "now_accepted", "R14 TITLE_PERIOD_LIMIT") in found


def test_each_run_counts_what_it_has_accepted_itself() -> None:
    shard = downloads(limited(0), count=4)

    found = told(shard.simulated(limited(3)))

    assert [number for number, kind, _ in found if kind == "now_accepted"] == ["1", "2", "3"]


def test_another_rule_that_refuses_is_another_reason() -> None:
    shard = downloads(limited(1), count=2)
    other = catalog_of({"title.max_downloads": 1}, downloadable=False)

    found = told(shard.simulated(other))

    assert ("2", "other_reason", "R03 TITLE_NOT_DOWNLOADABLE") in found


def test_another_term_is_told_as_the_expiry_that_it_makes() -> None:
    shard = LicenseShard.household(limited(None))
    shard.do(ask(1))

    (found,) = shard.simulated(catalog_of(service={"license.term_s": 86_400})).differences

    assert found.kind == "other_terms"
    assert Term("expires_at", NOW + 30 * DAY, NOW + DAY) in found.terms


def test_a_renewal_of_a_license_that_would_not_exist_only_follows() -> None:
    shard = LicenseShard.household(limited(None))
    shard.do(ask(1))
    (license_id,) = shard.account.licenses
    renewal = command(RenewLicense, command_id=id_of(2), license_id=license_id)
    shard.do(renewal, at=NOW + DAY)

    assert told(shard.simulated(limited(0))) == [
        ("1", "now_refused", "R14 TITLE_PERIOD_LIMIT"),
        ("2", "follows", "LICENSE_UNKNOWN"),
    ]


def test_a_clock_that_is_not_tolerated_any_more_is_refused() -> None:
    shard = LicenseShard.household(limited(None))
    shard.do(ask(1, issued_at=NOW + 200_000))

    found = shard.simulated(catalog_of(service={"clock.max_skew_s": 100}))

    assert told(found) == [("1", "now_refused", "R26 CLOCK_SKEW")]


def test_a_repeat_is_no_decision() -> None:
    shard = LicenseShard.household(limited(None))
    shard.do(ask(1), ask(1), ask(1))

    assert shard.simulated(limited(None)).decisions == 5


def test_a_repeat_that_came_too_late_to_be_known_is_refused_again() -> None:
    shard = LicenseShard.household(limited(None))
    shard.do(ask(1))
    others = [ask(2 + n, "t9", issued_at=NOW + 1) for n in range(RECENT_MAX)]
    shard.do(*others, at=NOW + 1)
    shard.do(ask(1), at=NOW + 2)

    found = shard.simulated(limited(0))

    assert shard.events()[-1].command_id == id_of(1), "it was refused as stale"
    assert told(found) == [("1", "now_refused", "R14 TITLE_PERIOD_LIMIT")]
    assert found.decisions == 4 + 1 + RECENT_MAX + 1


# left out, and never guessed


def test_an_account_whose_commands_are_gone_is_left_out() -> None:
    shard = LicenseShard.household(limited(None))
    shard.do(ask(1))
    del shard.log.records("commands", 0)[0]

    found = shard.simulated(limited(0))

    assert (found.left_out, found.decisions, found.differences) == ("COMMANDS_GONE", 0, ())
    assert "version 1" in found.why


def test_an_account_that_this_code_decides_otherwise_is_left_out() -> None:
    shard = downloads(limited(None))

    found = shard.simulated(limited(None), control={5: limited(2)})

    assert (found.left_out, found.differences) == ("NOT_REPRODUCED", ())


def test_a_field_that_came_after_the_event_was_written_is_no_other_decision() -> None:
    shard = LicenseShard.household(limited(None))
    wish = acquire(command_id=id_of(1), quality="high")
    shard.do(wish)
    stored, place = shard.store._accounts["a1"], 5
    event = CODEC.decode_event(stored[place].data)
    assert isinstance(event, LicenseIssued)
    stored[place] = replace(
        stored[place], data=CODEC.encode(replace(event, quality="standard"))
    )

    assert told(shard.simulated(limited(None))) == []


def test_an_account_with_a_hole_in_its_history_is_left_out() -> None:
    shard = downloads(limited(None))
    del shard.store._accounts["a1"][3]

    found = shard.simulated(limited(0))

    assert (found.left_out, found.why) == ("HISTORY", "expected version 3, found 4.")


def test_an_account_with_an_event_that_cannot_be_read_is_left_out() -> None:
    shard = downloads(limited(None))
    stored = shard.store._accounts["a1"]
    stored[3] = replace(stored[3], data=JUNK)

    assert shard.simulated(limited(0)).left_out == "HISTORY"


def test_the_command_that_is_meant_is_the_one_that_was_issued_then() -> None:
    shard = LicenseShard.household(limited(None))
    again = ask(1, "t2", issued_at=NOW - 1)
    shard.do(ask(1), again)

    (found,) = shard.simulated(limited(0)).differences

    assert isinstance(again, AcquireLicense)
    assert found.after.refusal is not None
    assert found.after.refusal.title_id == "t1"
