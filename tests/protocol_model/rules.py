"""Every rule, the bounds that its counterexample fits into, and the law that it breaks.

A rule with several parts has a line for each: leaving out any one of them is enough. What the
rules say is in docs/protocol.md.
"""

from functools import cache
from typing import TypeAlias

from tests.protocol_model import read_side, write_side, write_state
from tests.protocol_model.explorer import Explored, explore

W, R = write_state.Bounds, read_side.Bounds
Bounds: TypeAlias = write_state.Bounds | read_side.Bounds

ONE = (0, 0)  # both commands are of one account
DECIDING = W((0, 1, 0), ONE, crashes=0, losses=0, evicts=True, publishes=False)
LOSING = W((0, 0), (0,), evicts=True, loads_ahead=True, publishes=False)
BATCHES = W((0, 1), ONE, batch_max=2, crashes=0, losses=0, publishes=False)
SENDING = W((0, 1), ONE, crashes=0, losses=0, breaks=1, indexes_late=False)
DYING = W((0, 1), ONE, losses=0, indexes_late=False)
ARCHIVING = W(
    (0, 1, 0), ONE, crashes=0, losses=0, indexes_late=False, publishes=False, archives=True
)
LATE = W((0, 1), ONE, crashes=0, losses=0, evicts=True, publishes=False, archives=True)
RETAINING = W(
    (0, 1, 0), ONE, crashes=0, losses=0, indexes_late=False, publishes=False, deletes_input=True
)

AHEAD = DECIDING._replace(loads_ahead=True)
WRITE_SIDE = {
    "accounts loaded ahead and evicted": AHEAD,
    "requests lost and late": LOSING,
    "batches of two": BATCHES,
    "connections that break": SENDING,
    "dying unpublished": DYING,
    "archiving": ARCHIVING,
    "archiving, late inserts": LATE,
    "input that is deleted": RETAINING,
}
WRITE_SIDE_LARGE = {
    "deciding": W((0, 1, 0), ONE, batch_max=2, evicts=True, loads_ahead=True, publishes=False),
    "three commands": W((0, 1, 2, 0), (0, 0, 1), losses=0, evicts=True, publishes=False),
    "publishing": W((0, 1, 2), (0, 0, 0), losses=0, breaks=1, indexes_late=False),
    "both": W((0, 1, 0), ONE, crashes=1, losses=0, breaks=1),
    "archiving": W((0, 1, 1), ONE, losses=0, evicts=True, publishes=False, archives=True),
}
READ_SIDE = {
    "failing over": R((1, 1, 2), (0, 0), failovers=1),
    "rows of two accounts": R((1, 2, 3), (0, 1, 0)),
    "two saves ahead": R((1, 2, 2, 3), (0, 0, 0), crashes=0, saves_max=2),
    "holes": R((1, 3, 4), (0, 0, 0, 0), timeouts=0),
    "deleted records": R((1, 2, 3), (0, 0, 0), timeouts=0, deletions=1),
}
READ_SIDE_LARGE = {
    "failing over": R((1, 2, 1, 3), (0, 1, 0), failovers=1),
    "two saves ahead": R((1, 2, 1, 3), (0, 1, 0), failovers=1, crashes=0, saves_max=2),
    "holes": R((1, 3, 3, 4), (0, 0, 1, 0), failovers=1, deletions=1),
}

TWICE = "law 1: a command is decided twice"
NO_OUTCOME = "law 2: the shard is at rest, and a command has no outcome"
VERSIONS = "law 3: the versions of an account have a gap or a repeat"
NUMBERS = "law 3: a number is used twice"
ORDER = "law 4: first publications come out of order"
STORED = "law 4: what a worker publishes is not what is stored"
UNPUBLISHED = "law 4: the shard is at rest, and a stored event is not on the topic"
ROWS = "law 6: a row is not each event up to the checkpoint, counted once"
LACKS = "law 10: a worker is at rest, and the read model lacks events"

RULES: dict[str, tuple[Bounds, str]] = {
    "W1": (DYING._replace(crashes=0, indexes_late=True), UNPUBLISHED),
    "W2": (BATCHES, STORED),
    "W3.fence": (DECIDING, VERSIONS),
    "W3.resolve": (DECIDING, VERSIONS),
    "W4.pin": (DECIDING, VERSIONS),
    "W4.load": (AHEAD, VERSIONS),
    "W5.resend": (SENDING, ORDER),
    "W5.stop": (SENDING._replace(topic=(0, 1, 2), accounts=(0, 0, 0)), UNPUBLISHED),
    "W6.acknowledged": (SENDING._replace(indexes_late=True), ORDER),
    "W6.indexed": (SENDING._replace(topic=(0, 1, 0), indexes_late=True, breaks=0), TWICE),
    "W7": (DECIDING, VERSIONS),
    "W8.settled": (LATE, VERSIONS),
    "W8.before": (ARCHIVING, TWICE),
    "W8.order": (ARCHIVING, TWICE),
    "W8.ignore": (LATE._replace(crashes=1), VERSIONS),
    "W8.forward": (ARCHIVING._replace(topic=(0, 1, 1, 1)), TWICE),
    "W9.stub": (ARCHIVING, NUMBERS),
    "W9.input": (RETAINING, NO_OUTCOME),
    "R1.read": (R((1, 2), (0, 0), crashes=0, timeouts=0, saves_max=2), ROWS),
    "R1.evict": (R((1, 2), (0, 0), crashes=0, timeouts=0, saves_max=2), ROWS),
    "R2.rows": (R((1, 2), (0, 0), crashes=0), ROWS),
    "R2.seek": (R((1, 2), (0, 0), crashes=0), LACKS),
    "R3": (R((1, 2), (0, 0), crashes=0, timeouts=0, failovers=1), LACKS),
    "R4.hole": (R((1, 3), (0, 0, 0), crashes=0, timeouts=0), ROWS),
    "R4.deleted": (R((1, 2), (0, 0), crashes=0, timeouts=0, deletions=1), LACKS),
    "R4.kept": (R((1, 2), (0, 0), timeouts=0, deletions=1), LACKS),
}


def explored(bounds: Bounds, without: str = "") -> Explored:
    """What the model finds within the bounds, with one rule left out or with none."""
    rules = frozenset({without})
    if isinstance(bounds, W):
        return explore(write_side.WriteSide(bounds, rules).model())
    return explore(read_side.ReadSide(bounds, rules).model())


@cache
def counterexample(rule: str) -> Explored:
    """What goes wrong without this rule; looked for once."""
    return explored(RULES[rule][0], rule)
