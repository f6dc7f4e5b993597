from projectors import outcomes
from projectors.outcomes import PROJECTION, Outcome
from schemas import events
from schemas.envelope import Event
from tests.kit.fold import row_of, rows_of
from tests.kit.happenings import (
    NOW,
    TERM,
    happened,
    history,
    id_of,
    issued,
    refused,
    renewed,
    revoked,
)

NOTED = happened(
    events.CommandNoted, command_type="ReleaseLicense", note="already released", license_id=None
)


def row(*happenings: Event) -> Outcome:
    return row_of(PROJECTION, outcomes.row_key("a1", id_of(900)), *history(*happenings))


def test_an_accepted_command_names_what_it_got() -> None:
    found = row(happened(events.DeviceActivated), issued(warnings=("EXPIRES_SOON",)))
    assert found == Outcome(
        status="accepted",
        account_id="a1",
        at=NOW,
        seq=2,
        version=2,
        catalog_version=3,
        events={"DeviceActivated": 1, "LicenseIssued": 1},
        license_ids=(id_of(1),),
        expires_at=NOW + TERM,
        warnings=("EXPIRES_SOON",),
    )


def test_a_refused_command_names_rule_limit_and_when_again() -> None:
    found = row(refused(limit=3, used=3, available_at=NOW + 9, scope="title", detail="t1"))
    assert (found.status, found.command_type) == ("refused", "AcquireLicense")
    assert (found.code, found.rule, found.scope) == ("TITLE_PERIOD_LIMIT", "R14", "title")
    assert (found.limit, found.used, found.available_at) == (3, 3, NOW + 9)
    assert found.detail == "t1"


def test_a_command_that_changed_nothing_says_why() -> None:
    found = row(NOTED)
    assert (found.status, found.note) == ("noted", "already released")


def test_a_command_that_was_refused_for_some_licenses_is_partly_accepted() -> None:
    mixed = (renewed(1, expires_at=NOW + 7), refused("RENEWAL_LIMIT", license_id=id_of(2)))
    assert row(*mixed).status == "partly"
    assert row(*reversed(mixed)).status == "partly"
    assert row(*mixed).refused_license_ids == (id_of(2),)


def test_a_late_repeat_that_is_refused_as_stale_does_not_change_the_outcome() -> None:
    found = row(issued(), refused("COMMAND_STALE", rule=""), refused("COMMAND_STALE", rule=""))
    assert (found.status, found.code, found.stale_repeats) == ("accepted", "", 2)


def test_a_command_that_only_ever_came_too_late_is_refused() -> None:
    found = row(refused("COMMAND_STALE", rule=""))
    assert (found.status, found.code, found.stale_repeats) == ("refused", "COMMAND_STALE", 0)


def test_the_first_refusal_speaks_for_all() -> None:
    found = row(refused("RENEWAL_LIMIT", rule="R18"), refused("LEASE_EXPIRED", rule="R23"))
    assert (found.code, found.rule, found.events) == (
        "RENEWAL_LIMIT",
        "R18",
        {"CommandRefused": 2},
    )


def test_a_note_besides_an_effect_does_not_hide_it() -> None:
    assert row(issued(), NOTED).status == "accepted"
    assert row(NOTED, issued()).status == "accepted"


def test_the_earliest_expiry_is_told_and_each_warning_once() -> None:
    found = row(
        renewed(1, expires_at=NOW + 9, warnings=("A",)),
        renewed(2, expires_at=NOW + 5, warnings=("A", "B")),
    )
    assert (found.expires_at, found.warnings) == (NOW + 5, ("A", "B"))


def test_an_event_that_follows_on_the_same_license_does_not_name_it_twice() -> None:
    found = row(happened(events.PlaybackReported), happened(events.PlayWindowOpened))
    assert found.license_ids == (id_of(1),)


def test_the_licenses_named_are_bounded_and_all_are_counted() -> None:
    count = outcomes.LICENSES_MAX + 1
    found = row(*(revoked(n) for n in range(count)))
    assert len(found.license_ids) == outcomes.LICENSES_MAX
    assert found.events == {"LicenseRevoked": count}


def test_each_command_has_its_row() -> None:
    other = issued(2, command_id=id_of(901))
    assert set(rows_of(PROJECTION, history(issued(1), other))) == {
        f"a1/{id_of(900)}",
        f"a1/{id_of(901)}",
    }


def test_no_row_names_a_title_or_a_device() -> None:
    personal = {"title", "title_id", "device", "device_id", "profile", "profile_id"}
    assert not personal & set(Outcome.__struct_fields__)
