"""Where things stand: positions, lag, parked keys, generations, builds under way.

Workers note what they know, at the price of an assignment; the rest is worked out when somebody
asks. What a worker let go of is gone from the next answer on, so no shard is told of twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from projectors.generations import role
from projectors.view_store import Builder, Generation, Registry

Row = tuple[Sequence[str], float | None]


@dataclass(slots=True)
class Place:
    """Where a worker is in its topic. Written by its thread, read by whoever asks."""

    seq: int = 0
    next_offset: int = 0
    at: int = 0  # ms; of the last record it was given
    parked: int = 0
    unsettled: int = 0
    end: int | None = None  # of the topic, as seen last
    even_at: int = 0  # ms; when it was seen last with nothing left to do

    def look(self, end: int, now: int) -> None:
        """The topic ends here now."""
        self.end = end
        if self.next_offset >= end:
            self.even_at = now

    def lag(self, now: int) -> float | None:
        """Records that it has not handled; None until the end was looked at."""
        return None if self.end is None else max(0, self.end - self.next_offset)

    def lag_seconds(self, now: int) -> float | None:
        """For how long the oldest of these has waited, at most.

        It came after the last record handled, and after the worker was seen to be done.
        """
        lag, since = self.lag(now), max(self.at, self.even_at)
        if lag is None:
            return None
        return max(0, now - since) / 1_000 if lag and since else 0.0


@dataclass(slots=True)
class OfGeneration:
    """A shard of a generation that a projector or builder keeps."""

    generation: Generation
    shard: int
    place: Place = field(default_factory=Place)

    @property
    def key(self) -> tuple[str, int]:
        """No two are told of under the same labels."""
        return self.generation.key, self.shard


Gauges = Mapping[str, tuple[str, Callable[[Place, int], float | None]]]
"""By name: what it says, and its value at a time in ms; None while nobody knows."""

OF_SHARD = ("shard",)
HANDLER: Gauges = {
    "airside_handler_seq": (
        "Events in the history of a shard that this handler has.",
        lambda place, now: place.seq,
    ),
    "airside_handler_next_offset": (
        "Of the commands topic, where a shard goes on.",
        lambda place, now: place.next_offset,
    ),
    "airside_handler_unsettled_commits": (
        "Commits that are not known to be indexed and published yet.",
        lambda place, now: place.unsettled,
    ),
    "airside_handler_parked_accounts": (
        "Accounts that are held by a parked command.",
        lambda place, now: place.parked,
    ),
    "airside_handler_lag_commands": (
        "Commands on the topic that are not handled yet.",
        Place.lag,
    ),
    "airside_handler_lag_seconds": (
        "For how long the oldest of them has waited, at most.",
        Place.lag_seconds,
    ),
}
OF_PROJECTION = ("projection", "generation", "state", "shard")
PROJECTION: Gauges = {
    "airside_projection_seq": (
        "The last event in the rows of a shard.",
        lambda place, now: place.seq,
    ),
    "airside_projection_next_offset": (
        "Of the events topic, where a shard goes on.",
        lambda place, now: place.next_offset,
    ),
    "airside_projection_parked_events": (
        "Events parked in a shard, which are not in their rows.",
        lambda place, now: place.parked,
    ),
    "airside_projection_lag_events": (
        "Records on the topic that are not in the rows yet.",
        Place.lag,
    ),
    "airside_projection_lag_seconds": (
        "For how long the oldest of them has waited, at most.",
        Place.lag_seconds,
    ),
}
OF_REPLAY = ("projection", "generation", "phase")
REPLAY: Mapping[str, tuple[str, Callable[[Builder], float | None]]] = {
    "airside_replay_done": (
        "Events (verifying: rows) that a replay is through with.",
        lambda builder: builder.done,
    ),
    "airside_replay_goal": (
        "What it is to be through with in all.",
        lambda builder: builder.total,
    ),
    "airside_replay_eta_seconds": (
        "How long its phase will take still, at the rate until now.",
        lambda builder: builder.eta_seconds,
    ),
}


class Standing(Collector):
    """All that this process knows. `clock` tells ms."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.handled: dict[int, Place] = {}  # by shard
        self.projected: dict[tuple[str, int], OfGeneration] = {}
        self._registries: dict[str, Registry] = {}

    def learn(self, projection: str, registry: Registry) -> None:
        """What the view store says of a projection's generations, by now."""
        self._registries[projection] = registry

    def leave(self, one: OfGeneration) -> None:
        """Its worker is gone."""
        if self.projected.get(one.key) is one:
            del self.projected[one.key]

    def collect(self) -> Iterator[Metric]:
        """Every gauge, as of now."""
        now = self._clock()
        shards = [((str(shard),), place) for shard, place in list(self.handled.items())]
        for name, (text, value) in HANDLER.items():
            yield _family(name, text, OF_SHARD, [(own, value(p, now)) for own, p in shards])
        workers = [(self._labels(one), one.place) for one in list(self.projected.values())]
        for name, (text, value) in PROJECTION.items():
            rows = [(own, value(place, now)) for own, place in workers]
            yield _family(name, text, OF_PROJECTION, rows)
        yield from _of_registries(list(self._registries.items()))

    def _labels(self, one: OfGeneration) -> tuple[str, str, str, str]:
        generation = one.generation
        registry = self._registries.get(generation.projection, Registry())
        found = registry.generation(generation.number)
        state = "building" if found is None else role(registry, found)
        return generation.projection, str(generation.number), state, str(one.shard)


def _of_registries(registries: list[tuple[str, Registry]]) -> Iterator[Metric]:
    counts: dict[tuple[str, str], int] = {}
    differences: list[Row] = []
    builders: list[tuple[tuple[str, str, str], Builder]] = []
    for projection, registry in registries:
        for generation in registry.generations:
            state, number = role(registry, generation), str(generation.number)
            counts[projection, state] = counts.get((projection, state), 0) + 1
            verified, builder = generation.verified, generation.builder
            if verified is not None and not verified.accepted:
                differences.append(((projection, number, state), verified.different))
            if builder is not None:
                builders.append(((projection, number, builder.phase or "begun"), builder))
    yield _family(
        "airside_generations",
        "Generations of a projection, by what they are to it.",
        ("projection", "state"),
        list(counts.items()),
    )
    yield _family(
        "airside_generation_differences",
        "Rows that differed when a generation was compared last, and that nobody accepted.",
        ("projection", "generation", "state"),
        differences,
    )
    for name, (text, value) in REPLAY.items():
        yield _family(name, text, OF_REPLAY, [(own, value(b)) for own, b in builders])


def _family(name: str, text: str, labels: Sequence[str], rows: Sequence[Row]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for own, value in rows:
        if value is not None:
            family.add_metric(own, value)
    return family
