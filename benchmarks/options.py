"""How much is measured, and where."""

from dataclasses import dataclass
from pathlib import Path

ROUNDS, ROUNDS_QUICK = 5, 3
QUICK_SHARE = 3  # --quick does a third of the work


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose."""

    folder: Path  # a directory of the benchmark's own
    rounds: int = ROUNDS
    quick: bool = False

    def scaled(self, count: int) -> int:
        """That many, or with --quick a part of them."""
        return count // QUICK_SHARE if self.quick else count
