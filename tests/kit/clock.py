"""A clock that a test drives."""


class HandClock:
    """Shows `now` (ms) until somebody turns it."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now
