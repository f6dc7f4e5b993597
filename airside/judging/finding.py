"""One thing that was looked at, what was found, and whether that is well."""

from typing import Literal

from msgspec import Struct

Verdict = Literal["ok", "look", "mend"]
"""`look`: it works, and a person should know; `mend`: it does not, or will lose something."""

CLOCK_SKEW_MS = 1_000  # more is no clock that anybody sets


class Finding(Struct, frozen=True):
    """A row of the doctor's table; `advice` says in words what to do where it is not ok."""

    engine: str
    what: str
    found: str
    verdict: Verdict = "ok"
    advice: str = ""


def clock(engine: str, skew_ms: int, tolerance_ms: int, *, what: str = "clock") -> Finding:
    """An engine's clock against this machine's; positive: the engine's is ahead."""
    found = f"{abs(skew_ms):,} ms {'ahead of' if skew_ms > 0 else 'behind'} this machine"
    if abs(skew_ms) <= CLOCK_SKEW_MS:
        return Finding(engine, what, found)
    advice = (
        f"One of the two clocks is wrong by {abs(skew_ms) / 1_000:,.1f} s: let all machines "
        "take their time from the same servers (chronyc tracking shows whether they do)."
    )
    if abs(skew_ms) <= tolerance_ms:
        return Finding(engine, what, found, "look", advice)
    beyond = f" The domain tolerates {tolerance_ms / 1_000:,.0f} s (clock.max_skew_s)."
    return Finding(engine, what, found, "mend", advice + beyond)


def counted(count: int, word: str) -> str:
    """`1 broker`, `3 brokers`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def sized(size_bytes: int) -> str:
    """`12.3 MiB`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"
