"""`airside` whose builders kill themselves or are slow: `python -m tests.kit.dying_replay …`.

AIRSIDE is not asked, the environment is: TRAP="who what", for `child 3` the third batch of a
process that was started to build shards kills it; for `slow FILE` every batch takes a while as
long as there is that file.
"""

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from projectors.worker import ShardProjector

PROGRAM = (sys.executable, "-m", "tests.kit.dying_replay")
SLOW_SECONDS = 0.8  # a batch, so that a second builder finds the first one at work


def trapped(who: str, what: object) -> dict[str, str]:
    """The environment that arms a trap."""
    return {"TRAP": f"{who} {what}"}


def arm(who: str, what: str) -> None:
    """Count the batches of this process."""
    advance, calls = ShardProjector.advance, 0

    def trapped_advance(builder: ShardProjector[Any], seq: int) -> bool:
        nonlocal calls
        calls += 1
        is_child = multiprocessing.parent_process() is not None
        if who == "slow":
            time.sleep(SLOW_SECONDS if Path(what).exists() else 0)
        elif calls == int(what) and is_child == (who == "child"):
            os.kill(os.getpid(), signal.SIGKILL)
        return advance(builder, seq)

    ShardProjector.advance = trapped_advance  # type: ignore[assignment, method-assign]


if "TRAP" in os.environ:  # also in a process that was spawned by this one
    arm(*os.environ["TRAP"].split(maxsplit=1))

if __name__ == "__main__":
    from airside.cli.main import main

    main()
