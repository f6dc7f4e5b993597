"""The HTTP services as processes, and where they listen."""

import re
from types import TracebackType

from tests.kit.cli import Shell, Worker

_URL = re.compile(r" is up: (http://[^,\s]+)")


def url_of(service: Worker) -> str:
    """The address that it told."""
    found = _URL.search(service.text)
    assert found is not None, service.text
    return found[1]


class Service:
    """A service that may be killed and started again at its address. Stopped at the end."""

    def __init__(self, shell: Shell, verb: str, *options: str) -> None:
        self._shell, self._verb, self._options = shell, verb, options
        self.worker = shell.start(verb, "--port", "0", *options)
        self.url = url_of(self.worker)

    def restart(self) -> None:
        """Killed without a word, and started again."""
        self.worker.kill()
        port = self.url.rpartition(":")[2]
        self.worker = self._shell.start(self._verb, "--port", port, *self._options)

    def stop(self) -> int:
        """In good order; the exit code."""
        return self.worker.stop()

    def __enter__(self) -> "Service":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(self.worker.last_words)
        self.worker.stop()
