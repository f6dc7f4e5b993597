"""The mark of a log: the id of the history that its commands are decided into.

Two event stores on the topics of one log would share out its shards and number their events
alike. So `init` marks a log, in its catalog, and a worker looks whether it is its store's mark.
An embedded log needs none: it is in the event store's own file.
"""

from contextlib import closing

from airside.log import Log
from commands.catalog_follower import HISTORY_KEY, CatalogFollower
from schemas.errors import Contradiction, NotFound
from schemas.record import CATALOG_TOPIC


def mark(log: Log, history_id: str) -> bool:
    """Mark a log; True where it had no mark. Raises: Contradiction where it has another's."""
    is_new = not _mark_of(log)
    if is_new:
        log.append(CATALOG_TOPIC, 0, [(HISTORY_KEY.encode(), history_id.encode())])
    check_mark(log, history_id)
    return is_new


def check_mark(log: Log, history_id: str) -> None:
    """Raises: Contradiction where a log is another event store's; NotFound without a mark."""
    found = _mark_of(log)
    if not found:
        raise NotFound("the log has no mark of an event store yet. Run: airside init")
    if found != history_id:
        raise Contradiction(
            f"the log belongs to the event store with history {found}, this one has "
            f"{history_id}. Name the two that belong together in AIRSIDE_LOG and "
            "AIRSIDE_EVENTS, or give this one topics of its own: kafka://…/PREFIX"
        )


def _mark_of(log: Log) -> str:
    with closing(log.source(CATALOG_TOPIC, 0)) as source:
        follower = CatalogFollower(source)
        follower.catch_up()
        return follower.history
