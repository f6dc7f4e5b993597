"""What the facts of each engine mean for airside: pure functions from facts to findings."""
