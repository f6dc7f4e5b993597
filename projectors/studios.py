"""Downloads per studio, across accounts: the tally of `titles`, by another key."""

import sys

from projectors import keys, titles
from projectors.keys import by_studio
from projectors.projection import Projection
from projectors.titles import FOLDS, READS, Tally, merged

PROJECTION: Projection[Tally] = Projection(
    name="studios",
    row_type=Tally,
    initial=lambda _: Tally(),
    keys=by_studio,
    folds=FOLDS,
    reads=("studio_id", *READS),
    merge=merged,
    modules=(sys.modules[__name__], titles, keys),
)
