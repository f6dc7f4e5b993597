"""`airside up`, `handle`, `project`, `timekeeper`: the roles at work, until told to stop."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from types import FrameType

import click

from airside.cli.watching import metrics_option
from airside.handling import handling
from airside.projecting import projecting
from airside.rebuilds import Rebuild
from airside.running import Crew, Role, collect_rarely
from airside.settings import Settings
from airside.telemetry.endpoint import Address
from airside.telemetry.opening import telemetry
from airside.timekeeping import timekeeping
from airside.wiring import Deployment, open_deployment, wall_clock

Roles = Mapping[str, Callable[[Deployment], AbstractContextManager[Role]]]

rebuilding = click.option(
    "--rebuild",
    type=click.Choice(("promote", "build", "no")),
    default="promote",
    envvar="AIRSIDE_REBUILD",
    show_default=True,
    show_envvar=True,
    help="Where other code built the read models: build new ones beside them and serve these "
    "once they are compared; build them and leave that to a person; or do not.",
)


@click.command()
@rebuilding
@metrics_option
@click.pass_obj
def up(settings: Settings, rebuild: Rebuild, metrics: Address | None) -> None:
    """Run handler, projector and timekeeper in one process, until Ctrl-C.

    Every worker finishes its batch before it stops; kill -9 loses nothing either, it only
    leaves work to whoever comes next. On real engines several processes share the shards; on
    the embedded ones a second is safe, since every write is conditional, but of no use.
    """
    roles: Roles = {
        "handler": handling,
        "projector": partial(projecting, rebuild=rebuild),
        "timekeeper": timekeeping,
    }
    work(settings, roles, metrics)


@click.command()
@click.option(
    "--accept-lost",
    is_flag=True,
    help="Go on although commands are gone from the topic that were not handled.",
)
@metrics_option
@click.pass_obj
def handle(settings: Settings, accept_lost: bool, metrics: Address | None) -> None:
    """Decide commands into events, until Ctrl-C. As many processes as there are shards.

    The processes share out the shards; when one comes or goes they share anew. Each batch is
    one commit in the event store, which only one of two handlers of a shard can win: so
    whatever is killed, paused or cut off, each command takes effect at most once.
    """
    work(settings, {"handler": partial(handling, accept_lost=accept_lost)}, metrics)


@click.command()
@rebuilding
@metrics_option
@click.pass_obj
def project(settings: Settings, rebuild: Rebuild, metrics: Address | None) -> None:
    """Fold events into all read models, until Ctrl-C. As many processes as there are shards.

    It never writes into rows that other code built (of another fold, or other schemas): it
    builds a new generation beside them, while these are served. See --rebuild.
    """
    work(settings, {"projector": partial(projecting, rebuild=rebuild)}, metrics)


@click.command()
@metrics_option
@click.pass_obj
def timekeeper(settings: Settings, metrics: Address | None) -> None:
    """Send what falls due, such as the expiry of licenses, until Ctrl-C.

    One is enough; of several one works and the others stand by.
    """
    work(settings, {"timekeeper": timekeeping}, metrics)


def work(settings: Settings, roles: Roles, metrics: Address | None) -> None:
    """Run these roles until SIGINT or SIGTERM, each in a thread of its own."""
    collect_rarely()
    with (
        telemetry(metrics, os.environ, wall_clock) as watching,
        open_deployment(settings, telemetry=watching) as deployment,
    ):
        opened = [
            (name, partial(_watched, deployment, name, role)) for name, role in roles.items()
        ]
        crew = Crew(opened, deployment.revive)

        def stop(signal_number: int, frame: FrameType | None) -> None:
            crew.stop.set()

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        started = time.monotonic()
        name = "airside" if len(roles) > 1 else f"airside {next(iter(roles))}"
        click.echo(f"{name} is up: {deployment.said()}. Ctrl-C stops it.", err=True)
        crew.start()
        crew.join()
        click.echo(f"{name} is down after {time.monotonic() - started:.0f} s.", err=True)


def _watched(
    deployment: Deployment,
    name: str,
    opened: Callable[[Deployment], AbstractContextManager[Role]],
) -> AbstractContextManager[Role]:
    return deployment.telemetry.role(name, opened(deployment))
