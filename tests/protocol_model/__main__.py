"""Checks the protocol, and says how much was looked at: `python -m tests.protocol_model`.

`--bounds large` takes some minutes and a few GB; `--traces` prints every counterexample.
"""

import argparse
import sys
import time

from tests.protocol_model.rules import (
    READ_SIDE,
    READ_SIDE_LARGE,
    RULES,
    WRITE_SIDE,
    WRITE_SIDE_LARGE,
    Bounds,
    counterexample,
    explored,
)

ALL: dict[str, dict[str, Bounds]] = {
    "small": {**WRITE_SIDE, **READ_SIDE},
    "large": {
        **{f"write side, {name}": bounds for name, bounds in WRITE_SIDE_LARGE.items()},
        **{f"read side, {name}": bounds for name, bounds in READ_SIDE_LARGE.items()},
    },
}


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def check_all_rules(name: str, bounds: Bounds) -> bool:
    """With every rule; whether all laws hold."""
    began = time.monotonic()
    found = explored(bounds)
    say(f"{name}: {found}, {time.monotonic() - began:.1f} s\n  ({bounds})")
    return not found.broken


def check_without(rule: str, *, is_told: bool) -> bool:
    """Without one rule; whether its law breaks."""
    found = counterexample(rule)
    say(f"without {rule:16} {len(found.trace):2} steps  {found.broken or 'NO LAW IS BROKEN'}")
    if is_told:
        say(str(found))
    return found.broken == RULES[rule][1]


def main() -> int:
    """0 if all is as it should be."""
    parser = argparse.ArgumentParser(description="Check the models of the protocol.")
    parser.add_argument("--bounds", choices=sorted(ALL), default="small")
    parser.add_argument("--traces", action="store_true", help="print every counterexample")
    asked = parser.parse_args()
    whole = [check_all_rules(name, bounds) for name, bounds in ALL[asked.bounds].items()]
    single = [check_without(rule, is_told=asked.traces) for rule in RULES]
    return 0 if all(whole) and all(single) else 1


if __name__ == "__main__":
    sys.exit(main())
