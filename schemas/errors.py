"""Every error that airside raises, as one tree.

A worker decides by two words: `Transient` is tried again, `Permanent` is parked or told to
the person who asked.

    AirsideError
    ├── Transient               may go away: try again, with a bound
    │   ├── OutcomeUnknown      the write may or may not have happened: ask before going on
    │   ├── PublishFailed       records may be missing from the topic: send them again, in order
    │   └── Unavailable         an engine does not answer
    ├── Moved                   somebody else moved the shard: forget everything, load again
    │   ├── Fenced              a conditional write was refused
    │   └── Overtaken           what was just read is newer or older than what was known
    └── Permanent               trying again cannot help
        ├── Unreadable          bytes that are no message this code knows
        ├── Invalid             a message or file whose content is not allowed
        ├── TooLarge            a record or an id over its bound
        ├── Contradiction       a catalog, layout or registry that disagrees with itself
        ├── NotFound            what was asked for does not exist
        └── Hole                a sequence with a number missing
"""


class AirsideError(Exception):
    """The root: everything that airside raises on purpose."""


class Transient(AirsideError):
    """May go away by itself; the same call may be made again."""


class OutcomeUnknown(Transient):
    """The write may have happened. Ask with `landed()`; until then decide nothing."""


class PublishFailed(Transient):
    """Some records are not on the topic. Send again from the first unacknowledged one."""


class Unavailable(Transient):
    """An engine does not answer within its time limit."""


class Moved(AirsideError):
    """Somebody else moved this shard: drop all memory of it and load it again."""


class Fenced(Moved):
    """A conditional write was refused, and nothing was changed by it."""


class Overtaken(Moved):
    """A read returned a state that does not fit the position it was read for."""


class Permanent(AirsideError):
    """Trying again cannot help: a person or another program has to change something."""


class Unreadable(Permanent):
    """Bytes that no schema known to this code can read."""


class Invalid(Permanent):
    """A message, option or file whose content is not allowed."""


class TooLarge(Permanent):
    """A record, id or batch over its named bound."""


class Contradiction(Permanent):
    """Two statements that cannot both hold, such as a limit below zero."""


class NotFound(Permanent):
    """The named thing does not exist."""


class Hole(Permanent):
    """A sequence lacks a number that must exist: the shard halts until it is filled."""

    last_seq: int | None = None  # where it ends, if that is known
