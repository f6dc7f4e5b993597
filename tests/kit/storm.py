"""Members of a group that come and go all the time."""

import itertools
import time

from tests.kit.cli import Shell, Worker

MEMBERS = 2  # that stay: one more comes, the eldest goes
PAUSE_SECONDS = 0.3  # with the start of a process about a second


class Storm:
    """Workers of one role. The eldest is paused, killed or stopped in good order, in turn.

    A paused one goes on when the next one is paused: by then it was taken for dead.
    """

    def __init__(self, shell: Shell, role: str) -> None:
        self.members: list[Worker] = []  # all that have ever been
        self.exit_codes: list[int] = []  # of those that were stopped in good order
        self._shell, self._role = shell, role
        self._here: list[Worker] = []
        self._paused: list[Worker] = []
        self._ways = itertools.cycle((self._pause, self._kill, self._stop))

    def change(self) -> None:
        """One comes, and one goes if there are enough."""
        member = self._shell.start(self._role)
        self.members.append(member)
        self._here.append(member)
        if len(self._here) > MEMBERS:
            next(self._ways)(self._here.pop(0))

    def calm(self) -> None:
        """All go."""
        self._wake()
        while self._here:
            self._stop(self._here.pop())

    def _wake(self) -> None:
        for worker in self._paused:
            worker.go_on()
        self._here += self._paused
        self._paused.clear()

    def _kill(self, worker: Worker) -> None:
        worker.kill()

    def _stop(self, worker: Worker) -> None:
        self.exit_codes.append(worker.stop())

    def _pause(self, worker: Worker) -> None:
        self._wake()
        worker.pause()
        self._paused.append(worker)


def rage(storms: list[Storm], *, changes: int) -> None:
    """So many changes, in one group after the other; then all go."""
    try:
        for storm in itertools.islice(itertools.cycle(storms), changes):
            storm.change()
            time.sleep(PAUSE_SECONDS)
    finally:
        for storm in storms:
            storm.calm()
