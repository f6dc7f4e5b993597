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


def test_no_python_writes_it_in_another_way() -> None:
    source = (
        "@final\nclass Row(Struct, frozen=True):\n    at: int | None = None\n"
        "def fold(row, *, by=1.5):\n    return [f'{x!r:>{w}}é', *row[1:], u'y', b'', not x]\n"
    )
    x = "Name(id='x')"
    value = f"FormattedValue(value={x} conversion=114 format_spec=JoinedStr(values=["
    value += "Constant(value='>') FormattedValue(value=Name(id='w') conversion=-1)]))"
    assert meaning_of(source) == (
        "Module(body=[ClassDef(name='Row' bases=[Name(id='Struct')] keywords=[keyword("
        "arg='frozen' value=Constant(value=True))] body=[AnnAssign(target=Name(id='at') "
        "annotation=BinOp(left=Name(id='int') op=BitOr() right=Constant()) value=Constant() "
        "simple=1)] decorator_list=[Name(id='final')]) FunctionDef(name='fold' args=arguments("
        "args=[arg(arg='row')] kwonlyargs=[arg(arg='by')] kw_defaults=[Constant(value=1.5)]) "
        f"body=[Return(value=List(elts=[JoinedStr(values=[{value} Constant(value='\\xe9')]) "
        "Starred(value=Subscript(value=Name(id='row') slice=Slice(lower=Constant(value=1)))) "
        f"Constant(value='y') Constant(value=b'') UnaryOp(op=Not() operand={x})]))])])"
    )


@pytest.mark.parametrize("other", ["0", "None", "''", "...", "True", "1.0", "()", "[]"])
def test_each_constant_counts_as_what_it_is(other: str) -> None:
    assert meaning_of(PLAIN.replace("1", other)) != meaning_of(PLAIN)


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
