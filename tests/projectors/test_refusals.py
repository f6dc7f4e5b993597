from projectors.refusals import PROJECTION, Refusals, merged
from tests.kit.fold import rows_of
from tests.kit.happenings import NOW, history, issued, refused


def test_refusals_are_counted_by_code_rule_and_command() -> None:
    rows = rows_of(
        PROJECTION,
        history(
            issued(),
            refused("RENEWAL_LIMIT", rule="R18", command_type="RenewLicense"),
            refused("RENEWAL_LIMIT", rule="R19", command_type="RenewLicense", at=NOW + 5),
            refused("TITLE_WITHDRAWN", rule="R04"),
        ),
    )
    assert rows == {
        "RENEWAL_LIMIT": Refusals(2, NOW + 5, {"R18": 1, "R19": 1}, {"RenewLicense": 2}),
        "TITLE_WITHDRAWN": Refusals(1, NOW, {"R04": 1}, {"AcquireLicense": 1}),
    }


def test_shards_are_summed() -> None:
    one = Refusals(2, 7, {"R18": 2}, {"RenewLicense": 2})
    other = Refusals(1, 9, {"R19": 1}, {"RenewLicense": 1})
    assert merged([one, other]) == Refusals(3, 9, {"R18": 2, "R19": 1}, {"RenewLicense": 3})
