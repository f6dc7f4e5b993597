"""Commands for the engines: whole batches of accounts that each have several commands."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from schemas.commands import AcquireLicense, OpenAccount, RegisterDevice, ReleaseLicense
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
    """Acquire and release in turn, `each` commands of an account behind each other."""
    held: dict[int, str] = {}
    numbers = count()
    while True:
        number = next(numbers) % ACCOUNTS
        for _ in range(each):
            license_id = held.pop(number, None)
            if license_id is None:
                title_id = f"t{1 + (number + next(numbers)) % TITLES}"
                command = AcquireLicense(**signed(number), device_id="d1", title_id=title_id)
                held[number] = derived_id(command.command_id, 1)
                yield command
            else:
                yield ReleaseLicense(**signed(number), license_id=license_id)


def signed(number: int) -> dict[str, Any]:
    """What every command carries."""
    return {
        "command_id": new_id(),
        "account_id": f"account-{number:05}",
        "issued_at": time.time_ns() // 1_000_000,
    }
