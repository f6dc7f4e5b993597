"""From a request to commands: read, allowed, complete and valid, or refused with the reason.

What a request does not say is taken from its path, its key and its token, never from a clock,
so that the same request always means the same commands.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airside.gateway.keys import HEADER, MAKE_ONE, Key
from airside.gateway.senders import NotAllowed, Sender
from schemas.envelope import Command, parse_id
from schemas.errors import Invalid
from schemas.invalid import shortened
from schemas.parse import command_class, parse_command

BATCH_COMMANDS_MAX = 100  # below the 128 ids that an account remembers
WHOLE_MAX = 2**53  # up to which a float tells every whole number apart
ERRORS_SHOWN_MAX = 20  # of one batch


class InvalidBatch(Invalid):
    """Commands of a batch are wrong; nothing was sent."""

    def __init__(self, errors: Sequence[str], count: int) -> None:
        super().__init__(
            f"{len(errors)} of {count} commands are wrong, and none was sent. The first: "
            f"{errors[0]}"
        )
        self.errors = tuple(errors[:ERRORS_SHOWN_MAX])


def body_of(data: bytes) -> dict[str, Any]:
    """The JSON object of a request's body. Raises: Invalid."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is no JSON: {error}. Send one JSON object in UTF-8.") from None
    except RecursionError:
        raise Invalid("the body is nested too deeply. A command has no nesting.") from None
    if not isinstance(found, dict):
        raise Invalid(f'the body is {shortened(found)}. Send an object: {{"type": …}}.')
    return found


def one_command(
    fields: Mapping[str, object], account_id: str, key: Key, sender: Sender
) -> Command:
    """The command of a request. Raises: Invalid, NotAllowed."""
    said = _id_of(fields)
    if said not in (None, key.command_id):
        raise Invalid(
            f"command_id {said} is not the {HEADER}, {key.command_id}: the key is the "
            "command's id. Leave command_id out."
        )
    return _command(fields, account_id, key.command_id, key, sender)


def batch_of_commands(
    body: Mapping[str, object], account_id: str, key: Key, sender: Sender
) -> list[Command]:
    """The commands of a batch, all of them right. Raises: Invalid, InvalidBatch, NotAllowed."""
    found = body.get("commands")
    if not isinstance(found, list) or len(body) != 1:
        raise Invalid('a batch is {"commands": [{"type": …}, …]} and nothing else.')
    if not 1 <= len(found) <= BATCH_COMMANDS_MAX:
        raise Invalid(
            f"{len(found)} commands: a batch has 1 to {BATCH_COMMANDS_MAX}. Split it."
        )
    commands: list[Command] = []
    errors: list[str] = []
    for n, fields in enumerate(found):
        try:
            if not isinstance(fields, dict):
                raise Invalid(f'{shortened(fields)} is no object. Write {{"type": …}}.')
            command_id = _id_of(fields) or key.nth(n)
            commands.append(_command(fields, account_id, command_id, key, sender))
        except NotAllowed as error:
            raise NotAllowed(f"commands[{n}]: {error} None was sent.") from None
        except Invalid as error:
            errors.append(f"commands[{n}]: {error}")
    twice = _first_twice(commands)
    if not errors and twice is not None:
        errors.append(f"commands[{twice}]: its command_id is there twice. Leave ids out.")
    if errors:
        raise InvalidBatch(errors, len(found))
    return commands


def _command(
    fields: Mapping[str, object], account_id: str, command_id: str, key: Key, sender: Sender
) -> Command:
    if fields.get("account_id", account_id) != account_id:
        raise Invalid(
            f"account_id {shortened(fields['account_id'])} is not that of the path, "
            f"{shortened(account_id)}. Leave it out of the body."
        )
    actor = "member"
    if "type" in fields:  # else the parser says so
        sender.check(command_class(fields["type"]), account_id)
        actor = sender.actor(fields.get("actor"))
    fields = {name: _whole(value) for name, value in fields.items()}
    issued_at = fields.get("issued_at", key.issued_at)
    if issued_at is None:
        raise Invalid(
            f"a command without issued_at, and the {HEADER} does not carry the time it was "
            f"made. {MAKE_ONE} Or say issued_at, the same with every retry."
        )
    whole = {**fields, "account_id": account_id, "command_id": command_id, "actor": actor}
    whole["issued_at"] = issued_at
    return parse_command(whole, command_id=command_id, issued_at=0, actor=actor)


def _whole(value: object) -> object:
    """3.0 is a whole number in JSON, and what some clients write for 3."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= WHOLE_MAX:
        return int(value)
    return value


def _id_of(fields: Mapping[str, object]) -> str | None:
    said = fields.get("command_id")
    if said is None:
        return None
    try:
        return parse_id(str(said))
    except ValueError:
        raise Invalid(f"command_id {shortened(said)} is not a UUID. Leave it out.") from None


def _first_twice(commands: Sequence[Command]) -> int | None:
    seen: set[str] = set()
    for n, command in enumerate(commands):
        if command.command_id in seen:
            return n
        seen.add(command.command_id)
    return None
