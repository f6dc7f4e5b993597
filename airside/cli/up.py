"""`airside up`: the whole pipeline in one process."""

import logging
import signal
import time
from types import FrameType

import click

from airside.roles import handling, projecting, timekeeping
from airside.running import Crew
from airside.settings import Settings
from airside.wiring import open_deployment

log = logging.getLogger("airside.up")


@click.command()
@click.pass_obj
def up(settings: Settings) -> None:
    """Run handler, projectors and timekeeper in one process, until Ctrl-C.

    Every worker finishes its batch before it stops; kill -9 loses nothing either, it only
    leaves work to whoever comes next. A second `airside up` on the same data is safe, since
    every write is conditional, but the two get in each other's way.
    """
    with open_deployment(settings) as deployment:
        crew = Crew(
            [
                ("handler", lambda: handling(deployment)),
                ("projector", lambda: projecting(deployment)),
                ("timekeeper", lambda: timekeeping(deployment)),
            ],
            deployment.revive,
        )

        def stop(signal_number: int, frame: FrameType | None) -> None:
            crew.stop.set()

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        started = time.monotonic()
        click.echo(
            f"airside is up: data {settings.data}, {deployment.shards} shards, "
            f"read models on {deployment.views_url()}. Ctrl-C stops it.",
            err=True,
        )
        crew.start()
        crew.join()
        click.echo(f"airside is down after {time.monotonic() - started:.0f} s.", err=True)
