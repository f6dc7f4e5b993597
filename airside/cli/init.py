"""`airside init`: tables and topics, made where they are missing."""

import click

from airside.cli.output import show_json, show_table
from airside.settings import Settings
from airside.wiring import open_deployment


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_obj
def init(settings: Settings, as_json: bool) -> None:
    """Make keyspace, tables and topics, where they are missing.

    Needed once before real engines are used (AIRSIDE_EVENTS, AIRSIDE_LOG); it may be run again
    at any time and then changes nothing. It refuses to go on where something is there that
    does not fit: another number of partitions, a missing column, fewer copies than asked for.
    The embedded engines lay themselves out.
    """
    with open_deployment(settings) as deployment:
        made = deployment.lay_out()
        if as_json:
            show_json({"made": [k for k, v in made.items() if v], "all": list(made)})
            return
        rows = [(what, "made" if is_new else "was there") for what, is_new in made.items()]
        click.echo(f"{deployment.said()}:")
        show_table("Laid out", ["what", ""], rows)
