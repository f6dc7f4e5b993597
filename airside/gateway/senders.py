"""Who may send which commands. A member's devices speak for their own account and no other."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas import commands
from schemas.envelope import ID_CHARACTERS_MAX, Command
from schemas.errors import Permanent
from schemas.registry import COMMAND_TYPES

MEMBER, SUPPORT, OPERATOR = "member", "support", "operator"  # scopes of a token

OF_DEVICES: frozenset[type[Command]] = frozenset(
    (
        commands.RegisterDevice,
        commands.RemoveDevice,
        commands.AcquireLicense,
        commands.RenewLicense,
        commands.RenewDevice,
        commands.ReleaseLicense,
        commands.ReportDownload,
        commands.ReportPlayback,
        commands.SyncDevice,
    )
)

MAY_SEND: Mapping[str, frozenset[type[Command]]] = {
    MEMBER: OF_DEVICES,  # what a device or its app asks; plans and holds are the service's
    SUPPORT: frozenset((commands.GrantAllowance,)),  # it sees accounts, and helps with limits
    OPERATOR: frozenset(COMMAND_TYPES.values()),
}


class NotAllowed(Permanent):
    """The token does not give the right to send this."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, by a verified token: its subject and the strongest of its scopes."""

    subject: str
    scope: str

    def check(self, cls: type[Command], account_id: str) -> None:
        """Raises: NotAllowed where it may not send such a command to this account."""
        if self.scope == MEMBER and self.subject != account_id:
            raise NotAllowed(
                f"a member's token speaks for its own account, not for {account_id:.60}. Use "
                "that account's token, or an operator's."
            )
        if cls not in MAY_SEND[self.scope]:
            able = [scope for scope, classes in MAY_SEND.items() if cls in classes]
            raise NotAllowed(
                f"{cls.__name__} needs the scope {' or '.join(able)}, and this token has "
                f"{self.scope}. Ask somebody who may send it."
            )

    def actor(self, said: object) -> str:
        """Who acts, as history tells it. Only an operator may say it otherwise.

        Raises: NotAllowed where a member or support claims to be somebody else.
        """
        own = self.scope if self.scope == MEMBER else f"{self.scope}:{self.subject}"
        own = own[:ID_CHARACTERS_MAX]
        if said is None or said == own:
            return own
        if self.scope != OPERATOR or not isinstance(said, str):
            raise NotAllowed(
                f"actor {said!r:.60}: this token acts as {own!r}. Leave the field out."
            )
        return said
