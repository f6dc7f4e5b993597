"""How much a handler holds at once, and what it puts up with."""

from dataclasses import dataclass

from commands.cache import STREAMS_MAX


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one shard's handler."""

    batch_records_max: int = 1_000
    commit_bytes_max: int = 1024 * 1024  # a batch ends behind the record that reaches it
    window_commits_max: int = 8  # commits not settled yet; then nothing new is taken
    streams_max: int = STREAMS_MAX
    snapshot_every: int = 50  # events of one account
    snapshot_loaded: int = 8  # events folded to load an account: it may have to be again
    redrive_records_max: int = 1_000  # in one commit
    accept_lost: bool = False  # go on although commands are gone that were not handled


LIMITS = Limits()
