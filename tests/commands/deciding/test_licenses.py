"""Licenses: issued, released (R28), expired, revoked."""

from msgspec.structs import replace

from commands.deciding.licenses import license_id_of
from schemas import commands, events
from schemas.envelope import Command, derived_id
from tests.kit.given import (
    COMMAND_ID,
    acquire,
    command,
    downloaded,
    expect,
    expire,
    household,
    release,
)
from tests.kit.happenings import (
    DAY,
    NOW,
    TERM,
    expired,
    happened,
    id_of,
    issued,
    released,
    renewed,
    revoked,
)

PROOF = {"release.require_proof": True}
DUE = NOW + TERM
BOTH = (*downloaded(1, "d1"), *downloaded(2, "d2", title_id="t3"))


def revoke(**selector: object) -> Command:
    return command(commands.RevokeLicense, reason="lost", **selector)


def test_a_license_says_all_that_was_resolved_for_it() -> None:
    household().when(acquire(profile_id="kids", quality="high")).then(
        expect(
            events.LicenseIssued,
            license_id=derived_id(COMMAND_ID, "a1/1"),
            studio_id="s1",
            counted=True,
            expires_at=NOW + TERM,
            limit=None,
            used=1,
            device_limit=None,
            play_window_s=None,
            profile_id="kids",
            quality="high",
            warnings=(),
        ),
        expect(events.DeviceActivated, device_id="d1", slots_used=1, slots_limit=2),
    )


def test_two_accounts_that_used_one_command_id_get_two_licenses() -> None:
    mine = acquire()
    assert isinstance(mine, commands.AcquireLicense)
    yours = replace(mine, account_id="a2")
    assert mine.command_id == yours.command_id
    assert license_id_of(mine) != license_id_of(yours)


def test_the_same_command_would_give_out_the_same_license_id() -> None:
    first, again = household().when(acquire()), household().when(acquire())
    assert first.events == again.events


def test_a_command_that_comes_again_after_all_brings_no_license_back() -> None:
    license_id = derived_id(COMMAND_ID, "a1/1")
    first = happened(events.LicenseIssued, license_id=license_id)
    gone = happened(events.LicenseReleased, license_id=license_id)
    household(first, gone).when(acquire()).then_refused("", "COMMAND_INVALID")


# release


def test_a_license_is_given_back() -> None:
    household(*downloaded(1), *downloaded(2)).when(release(1, reason="seen")).then(
        expect(
            events.LicenseReleased,
            license_id=id_of(1),
            expires_at=NOW + TERM,
            was_expired=False,
            reason="seen",
            proof="claimed",
        )
    )


def test_with_its_last_license_a_device_gives_its_slot_back() -> None:
    household(*downloaded(1)).when(release(1)).then(
        expect(events.LicenseReleased), expect(events.DeviceDeactivated, device_id="d1")
    )


def test_with_its_last_unexpired_license_a_device_gives_its_slot_back() -> None:
    household(*downloaded(1), *downloaded(2), expired(2)).when(release(1)).then(
        expect(events.LicenseReleased), expect(events.DeviceDeactivated)
    )


def test_a_released_license_is_released_already() -> None:
    household(*downloaded(1), released(1)).when(release(1)).then_noted(license_id=id_of(1))


def test_a_revoked_license_is_not_released() -> None:
    household(*downloaded(1), revoked(1)).when(release(1)).then_noted()


def test_an_unknown_license_is_not_released() -> None:
    household().when(release(1)).then_refused("", "LICENSE_UNKNOWN", license_id=id_of(1))


def test_a_claimed_deletion_is_refused_where_it_must_be_proved() -> None:
    household(*downloaded(1), title=PROOF).when(release(1)).then_refused(
        "R28", "PROOF_REQUIRED", license_id=id_of(1)
    )


def test_a_proved_deletion_is_taken_where_it_must_be_proved() -> None:
    household(*downloaded(1), title=PROOF).when(release(1, proof="secure")).then(
        expect(events.LicenseReleased, proof="secure"), expect(events.DeviceDeactivated)
    )


# expiry


def test_an_expiry_that_has_come_is_put_on_record() -> None:
    household(*downloaded(1)).when(expire(1, DUE), DUE).then(
        expect(events.LicenseExpired, license_id=id_of(1), expires_at=DUE),
        expect(events.DeviceDeactivated, device_id="d1"),
    )


def test_a_device_with_another_license_keeps_its_slot() -> None:
    other = downloaded(2, expires_at=DUE + 1)
    household(*downloaded(1), *other).when(expire(1, DUE), DUE).then(
        expect(events.LicenseExpired)
    )


def test_where_slots_are_held_until_released_an_expiry_frees_none() -> None:
    plan = {"license.slot_held_until": "released"}
    household(*downloaded(1), plan=plan).when(expire(1, DUE), DUE).then(
        expect(events.LicenseExpired)
    )


def test_an_expiry_that_was_moved_is_told_when_it_is_due() -> None:
    later = renewed(1, expires_at=DUE + DAY)
    household(*downloaded(1), later).when(expire(1, DUE), DUE).then_noted(
        license_id=id_of(1), due_at=DUE, next_due_at=DUE + DAY
    )


def test_a_timekeeper_a_little_ahead_of_the_broker_is_believed() -> None:
    household(*downloaded(1)).when(expire(1, DUE, issued_at=DUE), DUE - 1_000).then(
        expect(events.LicenseExpired), expect(events.DeviceDeactivated)
    )


def test_a_timekeeper_far_ahead_of_the_broker_is_not_believed() -> None:
    household(*downloaded(1)).when(expire(1, DUE, issued_at=DUE), DUE - 300_001).then_noted(
        due_at=DUE, next_due_at=DUE
    )


def test_a_wide_tolerance_does_not_let_an_expiry_be_recorded_much_too_early() -> None:
    service = {"clock.max_skew_s": 86_400}
    household(*downloaded(1), service=service).when(
        expire(1, DUE, issued_at=DUE), DUE - 300_001
    ).then_noted(next_due_at=DUE)


def test_an_expiry_is_recorded_once() -> None:
    household(*downloaded(1), expired(1)).when(expire(1, DUE), DUE).then_noted(
        due_at=DUE, next_due_at=None
    )


def test_a_released_license_does_not_expire() -> None:
    household(*downloaded(1), released(1)).when(expire(1, DUE), DUE).then_noted(
        due_at=DUE, next_due_at=None
    )


def test_an_unknown_license_does_not_expire() -> None:
    household().when(expire(1, DUE), DUE).then_refused("", "LICENSE_UNKNOWN")


def test_a_license_of_a_closed_account_is_over_already() -> None:
    closed = (*downloaded(1), revoked(1), happened(events.AccountClosed))
    household(*closed).when(expire(1, DUE), DUE).then_noted(due_at=DUE, next_due_at=None)


# revocation


def test_one_license_is_revoked() -> None:
    household(*BOTH).when(revoke(license_id=id_of(1))).then(
        expect(events.LicenseRevoked, license_id=id_of(1), reason="lost", expires_at=DUE),
        expect(events.DeviceDeactivated, device_id="d1"),
    )


def test_all_licenses_of_a_title_are_revoked() -> None:
    household(*BOTH).when(revoke(title_id="t3")).then(
        expect(events.LicenseRevoked, license_id=id_of(2)),
        expect(events.DeviceDeactivated, device_id="d2"),
    )


def test_all_licenses_of_a_device_are_revoked_and_it_stays_registered() -> None:
    after = household(*BOTH).when(revoke(device_id="d1"))
    assert list(after.account.licenses) == [id_of(2)]
    assert after.account.devices["d1"].removed_at is None


def test_all_licenses_are_revoked() -> None:
    household(*BOTH).when(revoke(all=True)).then(
        expect(events.LicenseRevoked, license_id=id_of(1)),
        expect(events.LicenseRevoked, license_id=id_of(2)),
        expect(events.DeviceDeactivated, device_id="d1"),
        expect(events.DeviceDeactivated, device_id="d2"),
    )


def test_an_expired_license_is_revoked_so_that_it_is_not_renewed() -> None:
    household(*downloaded(1), expired(1)).when(revoke(license_id=id_of(1))).then(
        expect(events.LicenseRevoked, was_expired=True), expect(events.DeviceDeactivated)
    )


def test_a_revocation_of_nothing_named_contradicts_itself() -> None:
    household(*BOTH).when(revoke()).then_refused("", "COMMAND_INVALID")


def test_a_revocation_of_two_things_at_once_contradicts_itself() -> None:
    household(*BOTH).when(revoke(title_id="t1", all=True)).then_refused("", "COMMAND_INVALID")


def test_an_unknown_license_is_not_revoked() -> None:
    household().when(revoke(license_id=id_of(1))).then_refused("", "LICENSE_UNKNOWN")


def test_a_revocation_that_finds_nothing_changes_nothing() -> None:
    household(*BOTH).when(revoke(title_id="t2")).then_noted()


def test_a_revoked_license_is_revoked_already() -> None:
    household(*downloaded(1), revoked(1)).when(revoke(license_id=id_of(1))).then_noted()


def test_a_revocation_of_one_says_its_reason_in_full() -> None:
    long = command(commands.RevokeLicense, license_id=id_of(1), reason="x" * 1_000)
    household(*BOTH).when(long).then(
        expect(events.LicenseRevoked, reason="x" * 1_000), expect(events.DeviceDeactivated)
    )


def test_a_revocation_of_many_says_its_reason_so_briefly_that_it_can_be_written() -> None:
    many = tuple(issued(n) for n in range(1, 1_001))
    long = command(commands.RevokeLicense, all=True, reason="x" * 1_000)
    revocation = expect(events.LicenseRevoked, reason="x" * 100)
    household(*many).when(long).then(*[revocation] * 1_000)
