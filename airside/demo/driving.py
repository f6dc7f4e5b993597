"""The demo's engine room: the real roles on the embedded engines, on a driven clock."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from airside.demo.world import World
from airside.handling import Handling, handling
from airside.producer import Producer
from airside.projecting import Projecting, projecting
from airside.timekeeping import Timekeeping, timekeeping
from airside.wiring import Deployment
from projectors.log import EventSource
from schemas.codec import CODEC
from schemas.record import EVENTS_TOPIC

EVENTS_MAX = 10_000  # read at once


@dataclass(slots=True)
class DrivenClock:
    """A clock that stands still until it is set, ms."""

    now_at: int

    def __call__(self) -> int:
        """Now."""
        return self.now_at


@dataclass(slots=True)
class Theatre:
    """A deployment with all its roles in this one thread, and the world in front of it."""

    clock: DrivenClock
    world: World
    producer: Producer
    handler: Handling
    projector: Projecting
    timekeeper: Timekeeping
    published: list[EventSource]  # the events topic, as the world hears it
    sent: int = 0  # by the world
    expiries: int = 0  # by the timekeeper

    def live_until(self, now_at: int) -> None:
        """Let the time come, and everybody do what there is to do."""
        commands = [command for _, command in self.world.advance(now_at)]
        self.clock.now_at = now_at
        self.producer.send(commands)
        self.sent += len(commands)
        self.settle()

    def settle(self) -> None:
        """Turn after turn of every role until nothing is left; the world hears of it."""
        while self.handler.turn() or self.projector.turn() or self._keep_time():
            pass
        for source in self.published:
            while records := source.poll(EVENTS_MAX, 0.0):
                for _, _, _, value in records:
                    self.world.observe(CODEC.decode_event(value or b""))

    def _keep_time(self) -> int:
        fired = self.timekeeper.turn()
        self.expiries += fired
        return fired


@contextmanager
def open_theatre(deployment: Deployment, clock: DrivenClock, world: World) -> Iterator[Theatre]:
    """All roles of a deployment, closed behind them."""
    with ExitStack() as held:
        topics = held.enter_context(deployment.log())
        yield Theatre(
            clock=clock,
            world=world,
            producer=held.enter_context(deployment.producer()),
            handler=held.enter_context(handling(deployment)),
            projector=held.enter_context(projecting(deployment)),
            timekeeper=held.enter_context(timekeeping(deployment)),
            published=[
                held.enter_context(closing(topics.source(EVENTS_TOPIC, shard)))
                for shard in range(deployment.shards)
            ],
        )
