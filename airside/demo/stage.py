"""The stage: many small stories told at once, on one clock, as a discrete-event simulation.

A *story* is a generator that says how one client behaves, from top to bottom:

    def evening(phone: Device) -> Story:
        yield 3 * HOUR                        # some time passes
        reply = yield phone.acquires("t1")    # a command is sent, and its outcome comes back
        if license_id := reply.license_id:
            phone.home.tell(phone.reports_download(license_id, "started"))  # without waiting

The stage knows neither licenses nor households. It has no clock (`advance` is told what time
it is) and no randomness but that of each party, so the same seed and the same outcomes give
the same commands, in whatever order the shards answer.
"""

import heapq
from collections.abc import Generator
from dataclasses import dataclass, field
from random import Random

from schemas.envelope import Command, Event
from schemas.events import CommandRefused, LicenseIssued

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

IMPATIENT = 0.09  # of all commands are sent again within half a minute, many of them twice
STUCK = 0.004  # of all commands are sent again days later, by a client that lost the answer
TWICE = 0.4  # of the impatient ones


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a command: its events, in order. Empty where only time has passed."""

    events: tuple[Event, ...] = ()

    @property
    def refusal(self) -> CommandRefused | None:
        """The refusal, if it was refused."""
        return next((e for e in self.events if isinstance(e, CommandRefused)), None)

    @property
    def code(self) -> str | None:
        """The refusal's code, if it was refused."""
        return None if (refusal := self.refusal) is None else refusal.code

    @property
    def license_id(self) -> str | None:
        """The license, if one was issued."""
        issued = (e.license_id for e in self.events if isinstance(e, LicenseIssued))
        return next(issued, None)


Step = int | Command  # let so many ms pass, or ask and wait for the reply
Story = Generator[Step, Reply, None]
NOTHING = Reply()


@dataclass(slots=True)
class Party:
    """Somebody with stories. Its number and count order what happens in the same ms."""

    number: int
    random: Random
    count: int = 0


@dataclass(slots=True)
class _Request:
    """A command that a story waits for."""

    party: Party
    story: Story
    events: list[Event] = field(default_factory=list)


_Entry = tuple[int, int, int, Party, Story | Command, _Request | None]


class Stage:
    """Runs stories. `now_at` (ms) is the instant of the step that runs."""

    def __init__(self, start_at: int) -> None:
        self.start_at = start_at
        self.now_at = start_at
        self._next: list[_Entry] = []  # a heap, by instant, party and count
        self._asked: dict[str, _Request] = {}  # by command id; at most one per story
        self._sent: list[tuple[int, Command]] = []

    def begin(self, party: Party, story: Story, *, after_ms: int = 0) -> None:
        """Start a story, now or later."""
        self._plan(self.now_at + after_ms, party, story)

    def send(self, party: Party, command: Command) -> None:
        """Put a command on its way, now and perhaps, by an impatient client, again."""
        self._sent.append((self.now_at, command))
        chance = party.random.random()
        if chance < IMPATIENT:
            again_at = self.now_at + party.random.randrange(SECOND, 30 * SECOND)
            self._plan(again_at, party, command)
            if chance < IMPATIENT * TWICE:
                self._plan(again_at + party.random.randrange(MINUTE), party, command)
        elif chance > 1 - STUCK:
            self._plan(self.now_at + party.random.randrange(DAY, 20 * DAY), party, command)

    def advance(self, now_at: int) -> list[tuple[int, Command]]:
        """Tell the stories up to `now_at`: the commands sent since, with their arrival time."""
        entries = self._next
        while entries and entries[0][0] <= now_at:
            at, _, _, party, what, request = heapq.heappop(entries)
            self.now_at = max(at, self.now_at)
            if isinstance(what, Command):
                self._sent.append((self.now_at, what))
            else:
                self._tell(party, what, Reply(tuple(request.events)) if request else NOTHING)
        self.now_at = max(now_at, self.now_at)
        sent, self._sent = self._sent, []
        return sent

    def observe(self, event: Event) -> None:
        """Hand an event to the story that waits for it; it goes on within a few seconds.

        All events of one command must be observed before the next `advance`.
        """
        request = self._asked.get(event.command_id)
        if request is None:
            return
        if not request.events:
            latency = request.party.random.randrange(200, 3 * SECOND)
            answer_at = max(event.at, self.now_at) + latency
            self._plan(answer_at, request.party, request.story, request)
        request.events.append(event)

    def _tell(self, party: Party, story: Story, reply: Reply) -> None:
        if reply.events:
            del self._asked[reply.events[0].command_id]
        try:
            step = story.send(reply) if reply.events else next(story)
        except StopIteration:
            return
        if isinstance(step, int):
            self._plan(self.now_at + step, party, story)
        else:
            self._asked[step.command_id] = _Request(party, story)
            self.send(party, step)

    def _plan(
        self, at: int, party: Party, what: Story | Command, request: _Request | None = None
    ) -> None:
        party.count += 1
        entry = (at, party.number, party.count, party, what, request)
        heapq.heappush(self._next, entry)
