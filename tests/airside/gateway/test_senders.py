"""Who may send what."""

import pytest

from airside.gateway.senders import MAY_SEND, NotAllowed, Sender
from schemas import commands
from schemas.envelope import Command
from schemas.registry import COMMAND_TYPES

MEMBER, SUPPORT, OPERATOR = (
    Sender("a1", "member"),
    Sender("eve", "support"),
    Sender("bo", "operator"),
)


@pytest.mark.parametrize("cls", sorted(MAY_SEND["member"], key=repr))
def test_a_member_sends_what_devices_say_of_its_own_account(cls: type[Command]) -> None:
    MEMBER.check(cls, "a1")
    with pytest.raises(NotAllowed, match="its own account, not for a2"):
        MEMBER.check(cls, "a2")


@pytest.mark.parametrize(
    "cls",
    [
        commands.OpenAccount,
        commands.ChangePlan,
        commands.ReinstateAccount,
        commands.EraseAccount,
        commands.ExpireLicense,
        commands.GrantAllowance,
        commands.RevokeLicense,
        commands.RedriveParked,
    ],
)
def test_a_member_cannot_do_what_is_the_services(cls: type[Command]) -> None:
    with pytest.raises(NotAllowed, match=f"{cls.__name__} needs the scope .*operator"):
        MEMBER.check(cls, "a1")


def test_every_command_is_either_a_devices_or_the_services() -> None:
    services = set(COMMAND_TYPES.values()) - MAY_SEND["member"]
    assert {cls.__name__ for cls in services} == {
        *("OpenAccount", "ChangePlan", "ChangeCountry", "SuspendAccount", "ReinstateAccount"),
        *("CloseAccount", "EraseAccount", "ExpireLicense", "RevokeLicense", "GrantAllowance"),
        *("RedriveParked", "DiscardParked"),
    }


def test_support_grants_allowances_and_acts_in_nothing_else() -> None:
    SUPPORT.check(commands.GrantAllowance, "a1")
    with pytest.raises(NotAllowed, match="this token has support"):
        SUPPORT.check(commands.AcquireLicense, "a1")


@pytest.mark.parametrize("cls", COMMAND_TYPES.values())
def test_an_operator_sends_everything(cls: type[Command]) -> None:
    OPERATOR.check(cls, "any")
    assert cls in MAY_SEND["operator"]


def test_history_tells_who_acted() -> None:
    said = [sender.actor(None) for sender in (MEMBER, SUPPORT, OPERATOR)]
    assert said == ["member", "support:eve", "operator:bo"]


def test_an_operator_may_act_for_somebody_else() -> None:
    assert OPERATOR.actor("member") == "member"


@pytest.mark.parametrize("sender", [MEMBER, SUPPORT])
def test_nobody_else_may_claim_to_be_another(sender: Sender) -> None:
    with pytest.raises(NotAllowed, match="operator:bo"):
        sender.actor("operator:bo")
