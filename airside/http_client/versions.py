"""What was written by this client: the read-your-writes token of each account."""

import threading
from collections import OrderedDict

ACCOUNTS_MAX = 10_000  # remembered; the one that was written to longest ago is forgotten first


class Versions:
    """Threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: OrderedDict[str, str] = OrderedDict()

    def wrote(self, account_id: str, token: str | None) -> None:
        """A command of the account had an outcome with this token, `shard:seq`."""
        if token is None:
            return
        with self._lock:
            known = self._tokens.pop(account_id, token)
            self._tokens[account_id] = max(known, token, key=_seq_of)
            while len(self._tokens) > ACCOUNTS_MAX:
                self._tokens.popitem(last=False)

    def seen(self, account_id: str) -> str | None:
        """What an answer about the account should hold; None: anything will do."""
        with self._lock:
            return self._tokens.get(account_id)


def _seq_of(token: str) -> int:
    return int(token.rpartition(":")[2])
