"""The fingerprint changes with the meaning of the code and with nothing else."""

from dataclasses import replace
from functools import partial

import pytest

from projectors.fingerprint import fold_fingerprint, meaning_of
from schemas.codec import CODEC
from schemas.errors import Contradiction
from tests.kit import faults
from tests.kit.tallies import PLANS, TALLIES, counted

PLAIN = "def fold(row):\n    return row + 1\n"


def test_comments_docstrings_and_layout_do_not_count() -> None:
    dressed = (
        '"""Why."""\ndef fold(row):  # so\n    """What."""\n\n    return (row +\n        1)\n'
    )
    assert meaning_of(dressed) == meaning_of(PLAIN)


def test_another_rule_counts() -> None:
    assert meaning_of(PLAIN) != meaning_of(PLAIN.replace("1", "2"))


def test_it_is_the_same_every_time() -> None:
    assert fold_fingerprint(TALLIES, CODEC) == fold_fingerprint(TALLIES, CODEC)


@pytest.mark.parametrize(
    "other",
    [
        replace(TALLIES, reads=("account_id", "reason", "plan_id")),
        replace(TALLIES, folds=dict.fromkeys(TALLIES.folds, counted)),
        replace(TALLIES, folds=PLANS.folds),
        replace(TALLIES, modules=(faults,)),
    ],
    ids=["fields", "folds", "events", "modules"],
)
def test_fields_folds_events_and_modules_count(other: object) -> None:
    assert fold_fingerprint(other, CODEC) != fold_fingerprint(TALLIES, CODEC)  # type: ignore[arg-type]


def test_a_fold_that_belongs_to_no_module_is_refused() -> None:
    with pytest.raises(Contradiction, match="plain function of a module"):
        fold_fingerprint(replace(TALLIES, keys=partial(lambda event: ())), CODEC)
