"""Writing a commit until it is known what came of it."""

from commands.event_store import Commit, EventStore
from schemas.errors import Fenced, OutcomeUnknown

COMMIT_ATTEMPTS_MAX = 5  # at one commit, before the caller is told to wait


def write(store: EventStore, commit: Commit) -> None:
    """The commit is in the history when this returns. Until then nothing else is decided.

    Raises: Fenced; OutcomeUnknown or Unavailable, and then the same commit is to be written.
    """
    for _ in range(COMMIT_ATTEMPTS_MAX):
        try:
            store.commit(commit)
            return
        except Fenced:
            # Refused with our own commit id in the row means applied, by an attempt that was
            # thought lost.
            if store.landed(commit):
                return
            raise
        except OutcomeUnknown:
            if store.landed(commit):
                return
    raise OutcomeUnknown(
        f"shard {commit.shard}, commit {commit.number}: unknown after "
        f"{COMMIT_ATTEMPTS_MAX} attempts. It stays pending: try again."
    )
