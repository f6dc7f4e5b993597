"""A key that is used twice for different commands."""

import pytest
from msgspec.structs import replace

from airside.gateway.repeats import KeyReused, Repeats
from schemas.commands import AcquireLicense

COMMAND = AcquireLicense(
    command_id="1" * 32, account_id="a1", issued_at=1, device_id="d1", title_id="t1"
)


def test_a_repeat_is_no_mistake() -> None:
    repeats = Repeats()
    repeats.check([COMMAND])
    repeats.check([replace(COMMAND)])
    assert len(repeats) == 1


@pytest.mark.parametrize("change", [{"title_id": "t2"}, {"issued_at": 2}, {"actor": "x"}])
def test_another_command_under_the_same_key_is_told(change: dict[str, object]) -> None:
    repeats = Repeats()
    repeats.check([COMMAND])
    with pytest.raises(KeyReused, match="was sent with another command before"):
        repeats.check([replace(COMMAND, **change)])


def test_accounts_do_not_share_keys() -> None:
    repeats = Repeats()
    repeats.check([COMMAND])
    repeats.check([replace(COMMAND, account_id="a2", title_id="t2")])
    assert len(repeats) == 2


def test_a_batch_with_a_reused_key_leaves_no_trace() -> None:
    repeats = Repeats()
    repeats.check([COMMAND])
    new = replace(COMMAND, command_id="2" * 32)
    with pytest.raises(KeyReused):
        repeats.check([new, replace(COMMAND, title_id="t2")])
    repeats.check([replace(new, title_id="t9")])
    assert len(repeats) == 2


def test_it_forgets_what_was_sent_longest_ago() -> None:
    repeats = Repeats(2)
    repeats.check([COMMAND])
    repeats.check([replace(COMMAND, command_id="2" * 32)])
    repeats.check([COMMAND])  # which makes it young again
    repeats.check([replace(COMMAND, command_id="3" * 32)])
    repeats.check([replace(COMMAND, command_id="2" * 32, title_id="t2")])
    assert len(repeats) == 2
