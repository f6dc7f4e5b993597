"""`--metrics HOST:PORT`, of every verb that works for long."""

from typing import Any

import click

from airside.telemetry.endpoint import Address, parse_address
from schemas.errors import Invalid

HELP = (
    "Serve metrics for Prometheus there, as 127.0.0.1:9464 or 9464 alone; any free port for 0. "
    "Default: nowhere."
)


class AddressType(click.ParamType[Address]):
    """HOST:PORT."""

    name = "HOST:PORT"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        """Exits 2 where it is none."""
        try:
            return value if isinstance(value, Address) else parse_address(str(value))
        except Invalid as error:
            self.fail(str(error), param, ctx)


metrics_option = click.option(
    "--metrics",
    type=AddressType(),
    envvar="AIRSIDE_METRICS",
    show_envvar=True,
    help=HELP,
)
metrics_once_option = click.option("--metrics", type=AddressType(), help=HELP)
"""The same without the variable, which names the port of a role beside it."""
