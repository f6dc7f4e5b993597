"""`airside serve`: the query service over HTTP, until told to stop."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
from starlette.types import ASGIApp

from airside.cli.http import OPEN_TO_ALL, http_options
from airside.cli.output import show_json
from airside.console.routes import console_routes
from airside.documents.document import Documents
from airside.documents.keys import load_keys
from airside.serving.app import query_app, query_document
from airside.serving.service import opened
from airside.settings import Settings
from airside.telemetry.http import HttpWatch
from airside.telemetry.metrics import Metrics
from airside.telemetry.opening import traces
from airside.web.app import edge_of
from airside.web.server import listening, run
from airside.web.settings import PORT, HttpSettings
from airside.wiring import open_deployment, wall_clock


@click.command()
@http_options(PORT)
@click.option(
    "--signing-key",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="AIRSIDE_SIGNING_KEY",
    show_envvar=True,
    metavar="FILE",
    help="The Ed25519 key that signs license documents: a JWK Set as `airside keygen` makes "
    "it, or a PEM. Default: none, and no documents.",
)
@click.option("--openapi", "only_document", is_flag=True, help="Print the OpenAPI document.")
@click.pass_obj
def serve(
    settings: Settings, http: HttpSettings, signing_key: Path | None, only_document: bool
) -> None:
    """Answer questions over HTTP, until Ctrl-C: for devices, services and support staff.

    GET /openapi.json says what there is, /console shows it to people. Requests under way are
    finished before it stops. Any number of processes may serve the same read models.
    """
    if only_document:
        show_json(query_document())
        return
    signing = None if signing_key is None else load_keys(signing_key)
    with (
        listening(http) as bound,
        traces(os.environ) as tracing,
        open_deployment(settings) as deployment,
    ):
        watch = HttpWatch(Metrics(wall_clock), tracing)
        edge = edge_of(http, watch.observe)
        if http.keys is None:
            click.echo(OPEN_TO_ALL, err=True)

        def ready() -> None:
            text = f"airside serve is up: {bound.url}, {deployment.said()}. Ctrl-C stops it."
            click.echo(text, err=True)

        @asynccontextmanager
        async def app(stopping: asyncio.Event) -> AsyncIterator[ASGIApp]:
            async with opened(deployment, stopping) as service:
                if signing is not None:
                    service.documents = Documents(signing, deployment.clock)
                watch.follow(lambda: edge.in_flight, lambda: service.live.streams)
                more = [watch.route(), *console_routes()]
                made = query_app(service, edge, more=more)
                yield watch.around(made)

        run(app, bound, ready=ready)
        click.echo("airside serve is down.", err=True)
