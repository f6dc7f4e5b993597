"""Rows that differ, as verbs show them: side by side, and cut to what a person can take in."""

DIFFERENT = 5  # exit code
ROW_CHARACTERS_SHOWN = 300


def shortened(row: bytes | str | None) -> str:
    """A row as people can take it in."""
    if row is None:
        return "(no such row)"
    text = row if isinstance(row, str) else row.decode(errors="replace")
    return text if len(text) <= ROW_CHARACTERS_SHOWN else f"{text[:ROW_CHARACTERS_SHOWN]}…"
