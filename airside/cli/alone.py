"""Options that make a verb do something else, and what may be given beside them."""

from collections.abc import Collection

import click
from click.core import ParameterSource


def check_alone(ctx: click.Context, option: str, beside: Collection[str]) -> None:
    """Nothing else was given than the options in `beside`, named as parameters are.

    Raises: UsageError, which names what does not go with `option`.
    """
    given = {
        param.name: param.opts[0]
        for param in ctx.command.params
        if ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
    }
    others = [spelled for name, spelled in given.items() if name not in beside]
    if others:
        raise click.UsageError(f"{option} does not go with {', '.join(sorted(others))}.")
