"""The file of the embedded event store and log, judged."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airside.judging.finding import Finding, Verdict, sized

if TYPE_CHECKING:
    from airside.adapters.sqlite_facts import FileFacts

FREE_BYTES_LOOK, FREE_BYTES_MEND = 1024**3, 100 * 1024**2


def judge(engine: str, facts: "FileFacts") -> Iterator[Finding]:
    """Every finding about the file; `engine` is what it is used as."""
    yield Finding(engine, "version", f"SQLite {facts.version}, {facts.name}")
    yield _journal(engine, facts)
    yield _disk(engine, facts)


def _journal(engine: str, facts: "FileFacts") -> Finding:
    if facts.journal_mode == "wal":
        return Finding(engine, "journal", "wal")
    advice = (
        "Readers and writers block each other, since this file system has no shared memory "
        "(a network share?). Choose a data directory on a disk of this machine: --data."
    )
    return Finding(engine, "journal", facts.journal_mode, "mend", advice)


def _disk(engine: str, facts: "FileFacts") -> Finding:
    found = f"{sized(facts.file_bytes)}, {sized(facts.free_bytes)} free"
    if facts.free_bytes >= FREE_BYTES_LOOK:
        return Finding(engine, "disk", found)
    verdict: Verdict = "mend" if facts.free_bytes < FREE_BYTES_MEND else "look"
    advice = (
        "When the disk is full no command is handled any more. Make room, or move the data "
        "directory while nothing runs."
    )
    return Finding(engine, "disk", found, verdict, advice)
