"""The options of every verb that serves HTTP."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from airside.web.settings import AUDIENCE, HOST, RATE_PER_SECOND, HttpSettings

PORT_MAX = 65_535

OPEN_TO_ALL = (
    "NO KEYS: whoever can reach this address is an operator and may see and do everything. "
    "It listens on this machine only. Name a JWKS file with --keys or AIRSIDE_KEYS."
)


def http_options(port: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a verb the options of a service: it is called with `http`, the HttpSettings."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def verb(
            *arguments: Any,
            host: str,
            port: int,
            keys: Path | None,
            audience: str,
            issuer: str | None,
            rate: float,
            **options: Any,
        ) -> None:
            http = HttpSettings(host, port, keys, audience, issuer, rate)
            function(*arguments, http=http, **options)

        made: Callable[..., None] = verb
        for option in reversed(_options(port)):
            made = option(made)
        return made

    return decorate


def _options(port: int) -> list[Callable[[Callable[..., None]], Callable[..., None]]]:
    shown: dict[str, Any] = {"show_default": True, "show_envvar": True}
    return [
        click.option("--host", envvar="AIRSIDE_HTTP_HOST", default=HOST, **shown),
        click.option(
            "--port",
            type=click.IntRange(0, PORT_MAX),
            envvar="AIRSIDE_HTTP_PORT",
            default=port,
            help="0: any that is free.",
            **shown,
        ),
        click.option(
            "--keys",
            type=click.Path(dir_okay=False, path_type=Path),
            envvar="AIRSIDE_KEYS",
            show_envvar=True,
            metavar="FILE",
            help="The JWKS file whose keys verify tokens; read again when it changes. Without "
            "it only this machine is listened to, and everybody there is an operator.",
        ),
        click.option(
            "--audience",
            envvar="AIRSIDE_AUDIENCE",
            default=AUDIENCE,
            help="The `aud` that every token must have.",
            **shown,
        ),
        click.option(
            "--issuer",
            envvar="AIRSIDE_ISSUER",
            show_envvar=True,
            help="The `iss` that every token must have. Default: any.",
        ),
        click.option(
            "--rate",
            type=click.FloatRange(0),
            envvar="AIRSIDE_HTTP_RATE",
            default=RATE_PER_SECOND,
            help="Requests a second of one member; ten times as many of staff. 0: no limit.",
            **shown,
        ),
    ]
