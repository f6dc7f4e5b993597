"""Workers of every kind, and what they say when an engine fails."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.kit.cli import Shell, Worker, at_work, quoted
from tests.kit.witness import wait_until

ROLES = ("handle", "handle", "project", "project", "timekeeper")


class Crew:
    """They are at work on one deployment."""

    def __init__(self, shell: Shell, workers: list[Worker]) -> None:
        self.shell = shell
        self._workers = workers
        self._heard = [0] * len(workers)

    def listens(self) -> None:
        """From here on, see `notices`."""
        self._heard = [len(worker.text) for worker in self._workers]

    def notices(self, words: str) -> None:
        """Return when one of them has said this."""
        wait_until(f"somebody says {words!r}", lambda: words in self._news())

    def quoted(self) -> AbstractContextManager[None]:
        """An error of the block says the last that each of them said, too."""
        return quoted(self._workers)

    def is_whole(self) -> bool:
        """Nobody has given up."""
        return all(worker.process.poll() is None for worker in self._workers)

    def _news(self) -> str:
        pairs = zip(self._workers, self._heard, strict=True)
        return "\n".join(worker.text[heard:] for worker, heard in pairs)


@contextmanager
def crew_at_work(shell: Shell) -> Iterator[Crew]:
    """Two handlers, two projectors, a timekeeper, each a process."""
    with at_work(shell, *ROLES) as workers:
        yield Crew(shell, workers)
