"""R01, R02, R10: the account, its plan, its active licenses."""

from schemas import commands, events
from tests.kit.given import (
    HOUSEHOLD,
    acquire,
    command,
    downloaded,
    expect,
    expire,
    fetched,
    given,
    household,
    override,
    played,
    release,
    renew,
)
from tests.kit.happenings import DAY, NOW, happened

ON_HOLD = happened(events.AccountSuspended)
CLOSED = happened(events.AccountClosed)
ERASED = happened(events.AccountErased)


def test_an_account_that_was_never_opened_is_unknown() -> None:
    given().when(acquire()).then_refused(
        "R01", "ACCOUNT_UNKNOWN", device_id="d1", title_id="t1", command_type="AcquireLicense"
    )


def test_a_suspended_account_acquires_nothing() -> None:
    household(ON_HOLD).when(acquire()).then_refused("R01", "ACCOUNT_ON_HOLD")


def test_a_suspended_account_renews_nothing() -> None:
    household(*downloaded(1), ON_HOLD).when(renew(1)).then_refused("R01", "ACCOUNT_ON_HOLD")


def test_a_suspended_account_renews_no_device() -> None:
    renewal = command(commands.RenewDevice, device_id="d1")
    household(*downloaded(1), ON_HOLD).when(renewal).then_refused("R01", "ACCOUNT_ON_HOLD")


def test_a_suspended_account_registers_nothing() -> None:
    household(ON_HOLD).when(command(commands.RegisterDevice, device_id="d9")).then_refused(
        "R01", "ACCOUNT_ON_HOLD", device_id="d9"
    )


def test_a_suspended_account_gives_licenses_back() -> None:
    household(*downloaded(1), ON_HOLD).when(release(1)).then(
        expect(events.LicenseReleased), expect(events.DeviceDeactivated)
    )


def test_a_suspended_account_reports_what_it_played() -> None:
    household(*downloaded(1), ON_HOLD).when(played(1)).then(expect(events.PlaybackReported))


def test_a_suspended_account_changes_its_plan() -> None:
    household(ON_HOLD).when(command(commands.ChangePlan, plan_id="basic")).then(
        expect(events.PlanChanged)
    )


def test_a_reinstated_account_acquires_again() -> None:
    household(ON_HOLD, happened(events.AccountReinstated)).when(acquire()).then(
        expect(events.LicenseIssued), expect(events.DeviceActivated)
    )


def test_a_closed_account_acquires_nothing() -> None:
    household(CLOSED).when(acquire()).then_refused("R01", "ACCOUNT_CLOSED")


def test_a_closed_account_is_not_opened_again() -> None:
    opening = command(commands.OpenAccount, plan_id="basic", country="GB")
    household(CLOSED).when(opening).then_refused("R01", "ACCOUNT_CLOSED")


def test_a_closed_account_still_reports_what_it_fetched() -> None:
    ended = happened(events.LicenseRevoked)
    household(*downloaded(1), ended, CLOSED).when(fetched(1)).then(
        expect(events.DownloadReported, status="completed")
    )


def test_an_erased_account_is_closed_and_knows_no_license() -> None:
    household(*downloaded(1), ERASED).when(played(1)).then_refused("R01", "ACCOUNT_CLOSED")


def test_the_timekeeper_is_told_that_an_erased_account_has_nothing_due() -> None:
    household(*downloaded(1), ERASED).when(expire(1, due_at=NOW + DAY)).then_noted(
        due_at=NOW + DAY, next_due_at=None
    )


def test_a_plan_without_downloads_is_refused() -> None:
    moved = happened(events.PlanChanged, plan_id="none")
    household(moved).when(acquire()).then_refused("R02", "PLAN_NO_DOWNLOADS", detail="none")


def test_a_plan_that_the_catalog_lost_is_refused() -> None:
    opened = happened(events.AccountOpened, plan_id="gone")
    given(opened, *HOUSEHOLD[1:]).when(acquire()).then_refused("R02", "PLAN_UNKNOWN")


def test_the_account_s_limit_of_active_licenses_is_kept() -> None:
    held = (*downloaded(1), *downloaded(2, title_id="t3"))
    household(*held, service={"account.max_active": 2}).when(acquire()).then_refused(
        "R10", "ACCOUNT_DOWNLOAD_LIMIT", limit=2, used=2, scope="service"
    )


def test_below_the_account_s_limit_another_license_is_issued() -> None:
    household(*downloaded(1), service={"account.max_active": 2}).when(acquire()).then(
        expect(events.LicenseIssued)
    )


def test_an_expired_license_does_not_count_against_the_account_s_limit() -> None:
    lapsed = downloaded(1, expires_at=NOW + DAY)
    household(*lapsed, service={"account.max_active": 1}).when(acquire(), at=NOW + DAY).then(
        expect(events.LicenseIssued)
    )


def test_a_renewed_license_does_not_count_itself_against_the_account_s_limit() -> None:
    household(*downloaded(1), service={"account.max_active": 1}).when(renew(1)).then(
        expect(events.LicenseRenewed)
    )


def test_a_plan_may_override_the_account_s_limit_of_the_service() -> None:
    plan = override(**{"account.max_active": 2})
    case = household(
        *downloaded(1), *downloaded(2), plan=plan, service={"account.max_active": 1}
    )
    case.when(acquire()).then_refused(
        "R10", "ACCOUNT_DOWNLOAD_LIMIT", limit=2, used=2, scope="plan"
    )
