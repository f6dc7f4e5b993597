"""Run one server, and end it when whoever started us is gone.

A program of its own, started as `python leash.py LOG COMMAND…`. It is the server's parent, so
it knows for certain when the server has ended, and no signal can hit a process that got the
number since. Whoever started us holds the other end of our standard input. A line there is a
signal to pass on, and the same line comes back when it has worked. The end of it is the
server's end, and a starter that was killed has ended it too.

Why not prctl(PR_SET_PDEATHSIG): Linux only, fires when the *thread* that started the child
ends (we start servers from short-lived threads), and to set it needs a `preexec_fn`, which may
deadlock in a program with threads.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path


def main() -> int:
    """The server's exit code; 128 + n if signal n ended it, as a shell has it."""
    log, *command = sys.argv[1:]
    with Path(log).open("ab") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    sys.stdout.write(f"{server.pid}\n")
    sys.stdout.flush()
    threading.Thread(target=_obey, args=(server,), daemon=True).start()
    code = server.wait()
    return code if code >= 0 else 128 - code


def _obey(server: "subprocess.Popen[bytes]") -> None:
    for line in sys.stdin:
        server.send_signal(int(line))
        if int(line) == signal.SIGSTOP and hasattr(os, "waitid"):  # macOS: from Python 3.13 on
            with suppress(ChildProcessError):  # it has ended
                os.waitid(os.P_PID, server.pid, os.WSTOPPED)
        sys.stdout.write(line)
        sys.stdout.flush()
    server.send_signal(signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
