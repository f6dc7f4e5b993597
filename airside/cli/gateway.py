"""`airside gateway`: the front door for commands over HTTP, until told to stop."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
from starlette.types import ASGIApp

from airside.cli.http import OPEN_TO_ALL, http_options
from airside.cli.output import show_json
from airside.gateway.app import open_app
from airside.gateway.describing import document_of_gateway
from airside.gateway.topic import CommandsTopic
from airside.settings import Settings
from airside.telemetry.http import HttpWatch
from airside.telemetry.metrics import Metrics
from airside.telemetry.opening import traces
from airside.telemetry.producing import WatchedTopic
from airside.web.app import edge_of
from airside.web.server import listening, run
from airside.web.settings import HttpSettings
from airside.wiring import open_deployment, wall_clock

PORT = 8_081


@click.command()
@http_options(PORT)
@click.option("--openapi", "only_document", is_flag=True, help="Print the OpenAPI document.")
@click.pass_obj
def gateway(settings: Settings, http: HttpSettings, only_document: bool) -> None:
    """Take commands over HTTP, until Ctrl-C: from devices, services and operators.

    \b
      curl http://127.0.0.1:8081/v1/accounts/a1/commands \\
        -H "Idempotency-Key: $(uuidgen --time)" -H "Prefer: wait=2" \\
        -H "Content-Type: application/json" \\
        -d '{"type": "AcquireLicense", "device_id": "d1", "title_id": "t1"}'

    It puts them onto the commands topic and decides nothing; with `Prefer: wait` it looks in
    the read models what became of them. Requests under way are finished before it stops. Any
    number of gateways may run.
    """
    if only_document:
        show_json(document_of_gateway())
        return
    with (
        listening(http) as bound,
        traces(os.environ) as tracing,
        open_deployment(settings) as deployment,
    ):
        metrics = Metrics(wall_clock)
        watch = HttpWatch(metrics, tracing)
        edge = edge_of(http, watch.observe)
        watch.follow(lambda: edge.in_flight)
        if http.keys is None:
            click.echo(OPEN_TO_ALL, err=True)

        def ready() -> None:
            where = f"{bound.url}, {deployment.said()}"
            click.echo(f"airside gateway is up: {where}. Ctrl-C stops it.", err=True)

        def watched(topic: CommandsTopic) -> CommandsTopic:
            return WatchedTopic(topic, metrics.log, tracing)

        @asynccontextmanager
        async def app(stopping: asyncio.Event) -> AsyncIterator[ASGIApp]:
            routes = [watch.route()]
            async with open_app(
                deployment, edge, stopping, watched=watched, more=routes
            ) as made:
                yield watch.around(made)

        run(app, bound, ready=ready)
        click.echo("airside gateway is down.", err=True)
