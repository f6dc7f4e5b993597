"""The world of the demo: some hundred households and a cast, from one seed.

    for now_at in steps(midnight, days=62):
        for arrived_at, command in world.advance(now_at): ...    # send it; the service decides
        for event in published: world.observe(event)             # what became of it

Pure: no clock and no I/O. The same seed, advanced in the same steps and told the same outcomes,
sends the same commands, whatever order the shards answer in.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

from airside.demo.cast import CAST, plan_of
from airside.demo.cast_titles import COUNTRY, CastTitles
from airside.demo.device import IPHONE, MODELS, PHONE
from airside.demo.fates import FATES
from airside.demo.habits import Shelf
from airside.demo.household import Household
from airside.demo.life import lives
from airside.demo.stage import DAY, HOUR, MINUTE, Party, Stage
from schemas.envelope import Command, Event

T = TypeVar("T")

PLANS = {"ads": 30, "basic": 15, "standard": 35, "premium": 20}  # households in a hundred
COUNTRIES = {"US": 50, "GB": 15, "DE": 15, "FR": 10, "BR": 6, "JP": 4}
DEVICES = {1: 20, 2: 35, 3: 25, 4: 12, 5: 8}
CLOCK_ERRORS_MS = {0: 93, -20 * MINUTE: 3, -5 * HOUR: 2, 12 * MINUTE: 1, 9 * HOUR: 1}
FIRST_HOURS = 12  # in which all accounts are opened
FATES_FROM, FATES_UNTIL = 1 * DAY, 50 * DAY


class World:
    """Everybody who sends commands."""

    def __init__(
        self,
        *,
        seed: int,
        households: int,
        titles: Sequence[tuple[str, str]],
        cast_titles: CastTitles,
        start_at: int,
    ) -> None:
        """`titles`: pairs of title and studio id. `start_at`: best a midnight in UTC, ms."""
        self._seed = seed
        self._stage = Stage(start_at)
        self._shelf = Shelf(titles, Random(seed))
        self._homes: dict[str, Household] = {}
        for number in range(households):
            self._move_in(f"home-{number:03}")
        for script in CAST:
            name = script.__name__
            home = self._home(name, plan_of(name, cast_titles), COUNTRY)
            home.begin(script(home, cast_titles))

    def advance(self, now_at: int) -> list[tuple[int, Command]]:
        """The commands sent since the last call, each with its arrival time (ms), in order.

        Some come twice or more: the client did not hear the answer.
        """
        return self._stage.advance(now_at)

    def observe(self, event: Event) -> None:
        """Tell the world what became of a command. Events of an account come in order."""
        home = self._homes.get(event.account_id)
        if home is not None:
            home.learn(event)
            self._stage.observe(event)

    def _move_in(self, name: str) -> None:
        """An ordinary household, as chance has it."""
        random = Random(f"{self._seed}/{name}/looks")
        home = self._home(name, _drawn(random, PLANS), _drawn(random, COUNTRIES))
        models = [random.choice((PHONE, IPHONE)), *random.choices(MODELS, k=4)]
        for model in models[: _drawn(random, DEVICES)]:
            home.device(model, clock_error_ms=_drawn(random, CLOCK_ERRORS_MS))
        home.begin(lives(home), after_ms=random.randrange(FIRST_HOURS * HOUR))
        for fate, probability in FATES.items():
            if random.random() < probability:
                home.begin(fate(home), after_ms=random.randrange(FATES_FROM, FATES_UNTIL))

    def _home(self, name: str, plan_id: str, country: str) -> Household:
        party = Party(len(self._homes), Random(f"{self._seed}/{name}"))
        home = Household(self._stage, party, name, plan_id, country, self._shelf)
        self._homes[name] = home
        return home


def steps(start_at: int, days: int) -> Iterator[int]:
    """The instants (ms) to advance to: ten minutes apart on the first day, then two hours."""
    yield from range(start_at + 10 * MINUTE, start_at + DAY + 1, 10 * MINUTE)
    yield from range(start_at + DAY + 2 * HOUR, start_at + days * DAY + 1, 2 * HOUR)


def _drawn(random: Random, weights: dict[T, int]) -> T:
    return random.choices(list(weights), list(weights.values()))[0]
