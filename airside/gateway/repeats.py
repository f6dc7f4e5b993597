"""What was sent under which key lately, to tell a client that it uses a key twice.

A memory, and a bounded one: of this process, of the last REMEMBERED_MAX keys. It protects
clients from a mistake; that no command takes effect twice is the write side's business and
depends on none of this.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from airside.gateway.keys import HEADER
from schemas.envelope import Command
from schemas.errors import Permanent

REMEMBERED_MAX = 50_000  # some 20 MB
DIGEST_BYTES = 12


class KeyReused(Permanent):
    """Another command was sent under the same key: the first one counts."""


class Repeats:
    """The last keys of this process. For one thread."""

    def __init__(self, remembered_max: int = REMEMBERED_MAX) -> None:
        self._most = remembered_max
        self._digests: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._digests)

    def check(self, commands: Iterable[Command]) -> None:
        """Remember what these keys stand for, if they all are new or mean the same as before.

        Raises: KeyReused; then none of them is remembered.
        """
        new = {(c.account_id, c.command_id): _digest(c) for c in commands}
        for key, digest in new.items():
            if self._digests.get(key, digest) != digest:
                raise reused(key[1])
        for key, digest in new.items():
            self._digests[key] = digest
            self._digests.move_to_end(key)
        while len(self._digests) > self._most:
            self._digests.popitem(last=False)


def reused(command_id: str) -> KeyReused:
    """What to say where a key is used for two commands."""
    return KeyReused(
        f"{HEADER} {command_id} was sent with another command before, and that one counts. "
        "Repeat a command as it was, issued_at included; make a new key for a new command."
    )


def _digest(command: Command) -> bytes:
    return hashlib.blake2b(msgspec.msgpack.encode(command), digest_size=DIGEST_BYTES).digest()
