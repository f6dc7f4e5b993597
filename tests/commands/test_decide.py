"""Every command is decided, and what is no command of accounts is refused."""

from typing import get_args

from commands.decide import DECISIONS, decide
from schemas import commands, events
from tests.kit.given import catalog_of, command, household
from tests.kit.happenings import NOW


def test_every_command_has_its_decision() -> None:
    assert set(DECISIONS) == set(get_args(commands.AnyCommand))


def test_an_operator_s_command_is_refused_by_the_domain() -> None:
    household().when(command(commands.RedriveParked)).then_refused("", "COMMAND_INVALID")


def test_a_decision_leaves_the_envelope_to_the_handler() -> None:
    wish = command(commands.RenewDevice, device_id="d1")
    decided = decide(household().account, wish, catalog_of(), NOW)
    assert [(event.at, event.command_id) for event in decided] == [(0, "")]
    assert isinstance(decided[0], events.DeviceLeaseRenewed)
