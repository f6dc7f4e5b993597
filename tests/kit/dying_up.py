"""`airside` that kills itself at one of its first commits: `python -m tests.kit.dying_up up`.

TRAP="2 before" in the environment: when its second commit would be written; "2 after": when it
was just written, and nobody has heard of it.
"""

import os
import signal
import sys

from airside.adapters.sqlite_event_store import SqliteEventStore
from commands.event_store import Commit

PROGRAM = (sys.executable, "-m", "tests.kit.dying_up")


def arm(call: int, side: str) -> None:
    """Count the commits of this process."""
    commit, calls = SqliteEventStore.commit, 0

    def trapped_commit(store: SqliteEventStore, given: Commit) -> None:
        nonlocal calls
        calls += 1
        if calls == call and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(store, given)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)

    SqliteEventStore.commit = trapped_commit  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    from airside.cli.main import main

    number, word = os.environ["TRAP"].split()
    arm(int(number), word)
    main()
