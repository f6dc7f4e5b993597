"""Households that ask for licenses while engines and workers fail, and what must be true after.

with under_load(shell) as load:
    with load.running():
        load.seen.sees_progress()
        node.kill()
        ...
    load.finish()      # every command, every law
"""

import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from airside.checking.checking import sides
from airside.outcomes import wait_for
from airside.producer import Producer
from airside.wiring import Deployment, open_deployment
from schemas.commands import AcquireLicense, OpenAccount, RegisterDevice
from schemas.envelope import Command, new_id
from schemas.errors import Unavailable
from tests.kit.cli import Shell
from tests.kit.laws import check_sides
from tests.kit.witness import WAIT_SECONDS, Witness, wait_until, witness

ACCOUNTS = 80  # at a time
LICENSES = 80  # of each account: fewer than it remembers ids of, so no repeat is stale
TITLES = 60
BATCH = 10
PAUSE_SECONDS = 1 / 30  # between two: some 300 commands a second


class Load:
    """Sends commands of accounts of its own, and remembers each of them."""

    def __init__(self, deployment: Deployment, seen: Witness) -> None:
        self.deployment, self.seen = deployment, seen
        self.sent: list[Command] = []
        self.repeated = 0  # batches that were sent again, since nobody said that they arrived

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send until the block ends, in a thread; what has begun is sent to its end.

        A batch that is not acknowledged is sent again, with the same ids, until it is.
        """
        stop = threading.Event()
        with ThreadPoolExecutor(1, "load") as threads:
            sending = threads.submit(self._run, stop)
            try:
                yield
            finally:
                stop.set()
        sending.result()

    def finish(self) -> int:
        """Each command has an outcome, repeats do nothing, laws hold; how many events."""
        with self.deployment.reader() as reader:
            found = wait_for(
                reader,
                self.sent,
                shards=self.deployment.shards,
                timeout_seconds=WAIT_SECONDS,
            )
        lost = [command for command in self.sent if command.command_id not in found]
        assert lost == [], f"{len(lost)} of {len(self.sent)} have no outcome"
        wait_until("everything is handled", lambda: self.seen.unhandled() == 0)
        before = self.seen.stored()
        with self.deployment.producer() as producer:
            producer.send(self.sent)
        wait_until("all repeats are handled", lambda: self.seen.unhandled() == 0)
        assert self.seen.stored() == before, "a repeat had an effect"
        wait_until("everything is folded", lambda: self.seen.folded() == before)
        with sides(self.deployment) as compared:
            assert check_sides(compared) == sum(before)
        return sum(before)

    def _run(self, stop: threading.Event) -> None:
        commands = self._commands()
        with self.deployment.producer() as producer:
            while not stop.is_set():
                batch = list(itertools.islice(commands, BATCH))
                self.sent += batch
                wait_until("the commands are sent", partial(self._is_sent, producer, batch))
                stop.wait(PAUSE_SECONDS)

    def _is_sent(self, producer: Producer, batch: Sequence[Command]) -> bool:
        try:
            producer.send(batch)
        except Unavailable:
            self.repeated += 1
            return False
        return True

    def _commands(self) -> Iterator[Command]:
        """Accounts open, register a device and take turns; others follow them."""
        while True:
            name = f"l{new_id()[:8]}"
            accounts = [f"{name}-{n}" for n in range(ACCOUNTS)]
            for account in accounts:
                yield OpenAccount(**self._envelope(account), plan_id="premium", country="DE")
                yield RegisterDevice(**self._envelope(account), device_id="d1")
            for n, account in itertools.product(range(LICENSES), accounts):
                title = f"t{n % TITLES + 1}"
                yield AcquireLicense(**self._envelope(account), device_id="d1", title_id=title)

    def _envelope(self, account: str) -> dict[str, Any]:
        return {
            "command_id": new_id(),
            "account_id": account,
            "issued_at": self.deployment.clock(),
        }


@contextmanager
def under_load(shell: Shell) -> Iterator[Load]:
    """A load on a deployment, not begun yet."""
    with open_deployment(shell.settings) as deployment, witness(deployment) as seen:
        yield Load(deployment, seen)
