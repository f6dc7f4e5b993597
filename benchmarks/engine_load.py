"""Commands for the engines: whole batches of accounts that each have several commands."""

import time
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

from schemas.commands import (
    AcquireLicense,
    OpenAccount,
    RegisterDevice,
    ReleaseLicense,
    ReportDownload,
    ReportPlayback,
)
from schemas.envelope import Command, derived_id, new_id

ACCOUNTS = 4_000  # fewer than a handler keeps in memory
BATCH = 1_000  # commands in which each account comes up as often as asked for
TITLES = 60


def opening() -> list[Command]:
    """Every account is opened and has a device."""
    commands: list[Command] = []
    for number in range(ACCOUNTS):
        commands.append(OpenAccount(**signed(number), plan_id="premium", country="US"))
        commands.append(RegisterDevice(**signed(number), device_id="d1", security_level=1))
    return commands


def licensing(each: int) -> Iterator[Command]:
    """Downloads from asking to releasing, `each` commands of an account behind each other."""
    lives = [living(number) for number in range(ACCOUNTS)]
    for number in count():
        yield from islice(lives[number % ACCOUNTS], each)


def living(number: int) -> Iterator[Command]:
    """One account: a title is acquired, fetched, watched and released, then the next one."""
    for turn in count(number):
        acquire = AcquireLicense(
            **signed(number), device_id="d1", title_id=f"t{1 + turn % TITLES}"
        )
        yield acquire
        license_id = derived_id(acquire.command_id, f"{acquire.account_id}/1")
        yield ReportDownload(**signed(number), license_id=license_id, status="started")
        yield ReportDownload(
            **signed(number), license_id=license_id, status="completed", bytes=1 << 30
        )
        played = signed(number)
        yield ReportPlayback(
            **played, license_id=license_id, session_id="s", started_at=played["issued_at"]
        )
        yield ReleaseLicense(**signed(number), license_id=license_id)


def signed(number: int) -> dict[str, Any]:
    """What every command carries."""
    return {
        "command_id": new_id(),
        "account_id": f"account-{number:05}",
        "issued_at": time.time_ns() // 1_000_000,
    }
