"""A deployment on the embedded engines whose metrics are looked at by whoever tests it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airside.running import Role
from airside.settings import Settings
from airside.telemetry.watching import Watching
from airside.wiring import Deployment, open_deployment, wall_clock
from schemas.commands import OpenAccount
from schemas.envelope import Command, new_id
from schemas.record import COMMANDS_TOPIC, shard_of
from tests.kit.exposed import Samples, page_of
from tests.kit.witness import wait_until

SHARDS = 2


class Stage:
    """The deployment, and what its metrics say."""

    def __init__(self, deployment: Deployment, watching: Watching) -> None:
        self.deployment, self.watching = deployment, watching

    @property
    def page(self) -> Samples:
        """All of it, now."""
        return page_of(self.watching.metrics.registry)

    def send(self, *commands: Command) -> None:
        """Commands onto the topic, by a watched producer."""
        with self.deployment.producer() as producer:
            producer.send(commands)

    def send_junk(self, account_id: str) -> None:
        """Bytes that are no command."""
        shard = shard_of(account_id, SHARDS)
        with self.deployment.log() as log:
            log.append(COMMANDS_TOPIC, shard, [(account_id.encode(), b"junk")])


def opening(account_id: str) -> Command:
    """A command that is accepted."""
    return OpenAccount(
        command_id=new_id(),
        account_id=account_id,
        issued_at=wall_clock(),
        plan_id="standard",
        country="DE",
    )


def until_idle(role: Role) -> None:
    """Turn after turn, until there is nothing left to do."""
    wait_until("it is idle", lambda: not role.turn())


@contextmanager
def staged(directory: Path) -> Iterator[Stage]:
    """Two shards on SQLite, and a Valkey where read models are wanted."""
    watching = Watching(wall_clock)
    settings = Settings(data=directory, shards=SHARDS)
    with open_deployment(settings, telemetry=watching) as deployment:
        yield Stage(deployment, watching)
