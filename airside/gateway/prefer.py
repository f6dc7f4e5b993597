"""The header `Prefer` (RFC 7240): how long the client would wait for the outcome."""

import re

PREFER = "Prefer"
WAIT_SECONDS_MAX = 30  # what is asked beyond it is cut, and the answer says so

_WAIT = re.compile(r'^wait\s*=\s*"?([0-9]{1,9})"?$', re.IGNORECASE)


def wait_seconds(prefer: str) -> int | None:
    """Whole seconds, at most WAIT_SECONDS_MAX; None where it does not ask to wait.

    The first `wait` counts. What is not understood is passed over: it is a preference.
    """
    for part in prefer.split(","):
        found = _WAIT.match(part.partition(";")[0].strip())
        if found is not None:
            return min(int(found[1]), WAIT_SECONDS_MAX)
    return None
