"""The gateway's resources: one command, and a batch of a device that was away."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from airside.gateway.answers import BatchAnswer, CommandAnswer, answer_of, batch_of
from airside.gateway.bodies import BATCH_BODY, COMMAND_BODY, PRINTABLE
from airside.gateway.gate import Gate
from airside.gateway.keys import HEADER, Key, parse_key
from airside.gateway.prefer import PREFER, WAIT_SECONDS_MAX, wait_seconds
from airside.gateway.refusing import KEY_REUSED, as_problems, check_media_type
from airside.gateway.repeats import Repeats, reused
from airside.gateway.requests import batch_of_commands, body_of, one_command
from airside.gateway.senders import Sender
from airside.gateway.topic import APPEND_SECONDS
from airside.web.health import HEALTH, Health
from airside.web.problems import INVALID, NO_MEDIA, TOO_LARGE, TOO_MANY, UNAVAILABLE
from airside.web.resource import Answer, Call, Resource
from projectors.outcomes import Outcome
from schemas.envelope import Command, Name
from schemas.record import shard_of

COMMAND_BYTES_MAX = 64 * 1024  # the largest, SyncDevice of 1,000 licenses, has 40 KB
BATCH_BYTES_MAX = 1024 * 1024
SECONDS = APPEND_SECONDS + 3.0  # that a request may take beyond its wait

ACCEPTED, DECIDED = 202, 200
STATUSES = {
    DECIDED: "On the topic, and decided: the outcome, be it a refusal.",
    ACCEPTED: "On the topic. The outcome was not asked for, or did not come in time.",
}
PROBLEMS = (INVALID, TOO_LARGE, NO_MEDIA, KEY_REUSED, TOO_MANY, UNAVAILABLE)
EXAMPLE = {"account_id": "a1", "key": "019358e6-1c00-7000-8000-000000000001"}


class OfAccount(Struct, frozen=True):
    """Whose commands."""

    account_id: Annotated[
        Name,
        Meta(
            description="The account that they are about.",
            extra_json_schema={"pattern": PRINTABLE},
        ),
    ]


class Asked(Struct, frozen=True):
    """What the headers say."""

    key: Annotated[
        str,
        Meta(
            description="A UUID that names this command: the same again with every retry. "
            "Versions 7, 6 and 1 carry the time, which becomes `issued_at`; with any other "
            "the body says `issued_at`.",
            extra_json_schema={"format": "uuid"},
            extra={"header": HEADER},
        ),
    ]
    prefer: Annotated[
        str,
        Meta(
            description=f"`wait=2`: answer when the outcome is there, within so many seconds, "
            f"{WAIT_SECONDS_MAX} at most (RFC 7240).",
            max_length=200,
            extra={"header": PREFER},
        ),
    ] = ""


class Service:
    """What the resources of one process share."""

    def __init__(self, gate: Gate, health: Health) -> None:
        self.gate, self.health = gate, health
        self.repeats = Repeats()


async def send_command(service: Service, call: Call) -> Answer:
    """Put one command onto the topic."""
    with as_problems():
        check_media_type(call.request)
        body = body_of(await call.body(COMMAND_BYTES_MAX))
        account_id, key = call.of(OfAccount).account_id, _key(call)
        command = one_command(body, account_id, key, _sender(call))
        outcomes = await _sent(service, call, [command])
    outcome = outcomes.get(command.command_id)
    shard = shard_of(account_id, await service.gate.shards())
    is_whole = outcome is not None
    return _answer(call, answer_of(command, outcome, shard), is_whole=is_whole)


async def send_commands(service: Service, call: Call) -> Answer:
    """Put all commands of a batch onto the topic, in order."""
    with as_problems():
        check_media_type(call.request)
        body = body_of(await call.body(BATCH_BYTES_MAX))
        account_id, key = call.of(OfAccount).account_id, _key(call)
        commands = batch_of_commands(body, account_id, key, _sender(call))
        outcomes = await _sent(service, call, commands)
    shard = shard_of(account_id, await service.gate.shards())
    is_whole = len(outcomes) == len(commands)
    return _answer(call, batch_of(commands, outcomes, shard), is_whole=is_whole)


async def _sent(
    service: Service, call: Call, commands: Sequence[Command]
) -> dict[str, Outcome]:
    """The outcomes that came in the time that the client would wait."""
    service.repeats.check(commands)
    await service.gate.accept(commands)
    wait = wait_seconds(call.of(Asked).prefer)
    if wait is None:
        return {}
    outcomes = await service.gate.outcomes(commands, wait)
    for command in commands:
        row = outcomes.get(command.command_id)
        if row is not None and row.command_type not in ("", type(command).__name__):
            raise reused(command.command_id)
    return outcomes


def _answer(call: Call, answer: CommandAnswer | BatchAnswer, *, is_whole: bool) -> Answer:
    wait = wait_seconds(call.of(Asked).prefer)
    return Answer(
        msgspec.json.encode(answer),
        status=DECIDED if is_whole else ACCEPTED,
        headers={} if wait is None else {"Preference-Applied": f"wait={wait}"},
    )


def _key(call: Call) -> Key:
    return parse_key(call.of(Asked).key)


def _sender(call: Call) -> Sender:
    caller = call.caller
    return Sender("local" if caller.is_local else caller.subject, caller.scope)


def _seconds(call: Call) -> float:
    return SECONDS + (wait_seconds(call.of(Asked).prefer) or 0)


COMMANDS: tuple[Resource[Service], ...] = (
    Resource(
        "/v1/accounts/{account_id}/commands",
        send_command,
        summary="Send a command: at most once it takes effect, however often it is repeated.",
        method="POST",
        scope="member",
        owner="account_id",
        parameters=(OfAccount, Asked),
        body=COMMAND_BODY,
        answer=CommandAnswer,
        statuses=STATUSES,
        problems=PROBLEMS,
        example=EXAMPLE,
        seconds=_seconds,
        description="A refusal is an outcome and no problem: status 200, `outcome.status` is "
        "`refused`, with its `code` and `explanation`.",
        tag="commands",
    ),
    Resource(
        "/v1/accounts/{account_id}/commands:batch",
        send_commands,
        summary="Send what a device collected while it was away, in order.",
        method="POST",
        scope="member",
        owner="account_id",
        parameters=(OfAccount, Asked),
        body=BATCH_BODY,
        answer=BatchAnswer,
        statuses=STATUSES,
        problems=PROBLEMS,
        example=EXAMPLE,
        seconds=_seconds,
        description="All commands are checked before the first one is sent. Where the topic "
        "fails in the middle (503), the first of them may be there: the same batch again is "
        "safe. A command without `command_id` gets one derived from the key and its place.",
        tag="commands",
    ),
)

RESOURCES: tuple[Resource[Service], ...] = (*COMMANDS, *HEALTH)
