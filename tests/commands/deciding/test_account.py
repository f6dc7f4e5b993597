"""The account's own commands: opened, moved, put on hold, closed, erased; allowances; R25."""

from commands.account import ALLOWANCES_MAX, Account
from commands.policy_keys import COUNT_MAX
from schemas import commands, events
from schemas.envelope import Command
from tests.kit.given import HOUSEHOLD, acquire, command, downloaded, expect, given, household
from tests.kit.happenings import DAY, NOW, expired, happened, id_of, released

OPEN = command(commands.OpenAccount, plan_id="standard", country="GB")
SUSPEND = command(commands.SuspendAccount, reason="unpaid")
REINSTATE = command(commands.ReinstateAccount)
CLOSE = command(commands.CloseAccount, reason="moved on")
ERASE = command(commands.EraseAccount)
ON_HOLD = happened(events.AccountSuspended)
CLOSED = happened(events.AccountClosed)
NEWEST = {"plan.downgrade_action": "revoke_newest"}


def move_to(plan_id: str) -> Command:
    return command(commands.ChangePlan, plan_id=plan_id)


def grant(**fields: object) -> Command:
    return command(commands.GrantAllowance, **{"count": 1, "expires_at": NOW + DAY, **fields})


def test_an_account_is_opened() -> None:
    given().when(OPEN).then(expect(events.AccountOpened, plan_id="standard", country="GB"))


def test_an_account_is_not_opened_on_a_plan_that_the_catalog_lacks() -> None:
    opening = command(commands.OpenAccount, plan_id="gold", country="GB")
    given().when(opening).then_refused("", "PLAN_UNKNOWN", detail="gold")


def test_an_account_is_opened_once() -> None:
    household().when(OPEN).then_noted(command_type="OpenAccount")


def test_an_account_on_hold_is_open_already() -> None:
    household(ON_HOLD).when(OPEN).then_noted()


def test_the_plan_changes() -> None:
    household().when(move_to("premium")).then(
        expect(events.PlanChanged, plan_id="premium", previous_plan_id="standard")
    )


def test_the_same_plan_changes_nothing() -> None:
    household().when(move_to("standard")).then_noted()


def test_a_plan_that_the_catalog_lacks_is_refused() -> None:
    household().when(move_to("gold")).then_refused("", "PLAN_UNKNOWN", detail="gold")


def test_the_country_changes() -> None:
    household().when(command(commands.ChangeCountry, country="US")).then(
        expect(events.CountryChanged, country="US", previous_country="GB")
    )


def test_the_same_country_changes_nothing() -> None:
    household().when(command(commands.ChangeCountry, country="GB")).then_noted()


def test_an_account_is_suspended() -> None:
    household().when(SUSPEND).then(expect(events.AccountSuspended, reason="unpaid"))


def test_a_suspended_account_is_suspended_already() -> None:
    household(ON_HOLD).when(SUSPEND).then_noted()


def test_an_account_is_reinstated() -> None:
    household(ON_HOLD).when(REINSTATE).then(expect(events.AccountReinstated))


def test_an_account_that_is_not_on_hold_is_not_reinstated() -> None:
    household().when(REINSTATE).then_noted()


# R25


def test_a_smaller_plan_takes_the_licenses_of_the_newest_device() -> None:
    older, newer = downloaded(1, "d2", at=NOW - DAY), downloaded(2, "d1", at=NOW)
    household(*older, *newer, service=NEWEST).when(move_to("basic")).then(
        expect(events.PlanChanged),
        expect(events.LicenseRevoked, license_id=id_of(2), device_id="d1"),
        expect(events.DeviceDeactivated, device_id="d1"),
    )


def test_a_smaller_plan_that_only_blocks_takes_nothing() -> None:
    household(*downloaded(1, "d1"), *downloaded(2, "d2")).when(move_to("basic")).then(
        expect(events.PlanChanged)
    )


def test_a_plan_that_still_fits_takes_nothing() -> None:
    household(*downloaded(1, "d1"), *downloaded(2, "d1"), service=NEWEST).when(
        move_to("basic")
    ).then(expect(events.PlanChanged))


def test_a_device_whose_licenses_lapsed_is_no_device_too_many() -> None:
    lapsed = downloaded(1, "d1", at=NOW - DAY, expires_at=NOW)
    household(*lapsed, *downloaded(2, "d2"), service=NEWEST).when(move_to("basic")).then(
        expect(events.PlanChanged)
    )


# the end


def test_closing_revokes_every_license_first() -> None:
    household(*downloaded(1, "d1"), *downloaded(2, "d2"), expired(2)).when(CLOSE).then(
        expect(events.LicenseRevoked, license_id=id_of(1), was_expired=False),
        expect(events.LicenseRevoked, license_id=id_of(2), was_expired=True),
        expect(events.DeviceDeactivated, device_id="d1"),
        expect(events.DeviceDeactivated, device_id="d2"),
        expect(events.AccountClosed, reason="moved on"),
    )


def test_closing_does_not_revoke_what_was_given_back() -> None:
    gone = (released(1), happened(events.DeviceDeactivated))
    household(*downloaded(1), *gone).when(CLOSE).then(expect(events.AccountClosed))


def test_a_closed_account_is_closed_already() -> None:
    household(CLOSED).when(CLOSE).then_noted()


def test_a_closed_account_is_erased() -> None:
    household(CLOSED).when(ERASE).then(expect(events.AccountErased))


def test_erasing_revokes_every_license_first() -> None:
    household(*downloaded(1)).when(ERASE).then(
        expect(events.LicenseRevoked),
        expect(events.DeviceDeactivated),
        expect(events.AccountErased),
    )


def test_an_erased_account_remembers_only_that_it_was_erased() -> None:
    after = household(*downloaded(1)).when(ERASE).account
    assert after == Account("a1", "erased")


def test_an_erased_account_is_erased_already() -> None:
    household(happened(events.AccountErased)).when(ERASE).then_noted()


def test_an_account_that_was_never_opened_is_not_erased() -> None:
    given().when(ERASE).then_refused("R01", "ACCOUNT_UNKNOWN")


# allowances


def test_an_allowance_is_granted() -> None:
    household().when(grant(title_id="t1", count=3, note="sorry")).then(
        expect(events.AllowanceGranted, title_id="t1", device_id=None, count=3, note="sorry")
    )


def test_an_allowance_is_for_a_title_or_a_device() -> None:
    household().when(grant()).then_refused("", "COMMAND_INVALID")


def test_an_allowance_is_not_for_both() -> None:
    household().when(grant(title_id="t1", device_id="d1")).then_refused("", "COMMAND_INVALID")


def test_an_allowance_for_an_unknown_device_is_refused() -> None:
    household().when(grant(device_id="d9")).then_refused("R06", "DEVICE_UNKNOWN")


def test_an_allowance_that_is_over_already_changes_nothing() -> None:
    household().when(grant(title_id="t1", expires_at=NOW)).then_noted()


def test_no_more_is_granted_for_a_title_than_any_limit_could_need() -> None:
    granted = happened(events.AllowanceGranted, title_id="t1", device_id=None, count=9)
    household(granted).when(grant(title_id="t1", count=COUNT_MAX - 8)).then_refused(
        "", "COMMAND_INVALID", limit=COUNT_MAX, used=9
    )


def test_as_much_as_any_limit_could_need_is_granted() -> None:
    granted = happened(events.AllowanceGranted, title_id="t1", device_id=None, count=9)
    household(granted).when(grant(title_id="t1", count=COUNT_MAX - 9)).then(
        expect(events.AllowanceGranted)
    )


def test_absurd_grants_of_old_raise_a_limit_only_so_far() -> None:
    absurd = happened(events.AllowanceGranted, title_id="t1", device_id=None, count=2**62)
    title = {"title.max_downloads": 1}
    household(*[absurd] * 9, title=title).when(acquire()).then(
        expect(events.LicenseIssued, limit=1 + COUNT_MAX), expect(events.DeviceActivated)
    )


def test_no_more_allowances_last_at_once_than_are_kept() -> None:
    granted = [happened(events.AllowanceGranted, expires_at=NOW + DAY)] * ALLOWANCES_MAX
    household(*granted).when(grant(title_id="t1")).then_refused(
        "", "COMMAND_INVALID", limit=ALLOWANCES_MAX, used=ALLOWANCES_MAX
    )


def test_allowances_that_are_over_make_room_for_others() -> None:
    granted = [happened(events.AllowanceGranted, expires_at=NOW + 1)] * ALLOWANCES_MAX
    after = household(*granted).when(grant(title_id="t1"), NOW + 1).account
    assert len(after.allowances) == 1


def test_a_history_without_an_opening_knows_no_account() -> None:
    given(*HOUSEHOLD[1:]).when(SUSPEND).then_refused("R01", "ACCOUNT_UNKNOWN")
